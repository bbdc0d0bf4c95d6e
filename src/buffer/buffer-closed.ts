export class BufferClosed extends Error {
  constructor() {
    super('the buffer is closed');
    this.name = 'BufferClosed';
  }
}
