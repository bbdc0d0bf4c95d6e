export async function runCollector(file: string): Promise<void> {
  throw new Error(file);
}
