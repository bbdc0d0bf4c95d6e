import { h } from './dom.js';
import { RANGES } from './page-state.js';

/** Buttons for how far back to look. */
export function rangePicker(chosen, onChoose) {
  const buttons = RANGES.map(([name]) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(name === chosen),
        onclick: () => {
          select(name);
          onChoose(name);
        },
      },
      name,
    ),
  );
  const select = (name) =>
    buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.textContent === name)));
  return {
    element: h('div', { class: 'segments', role: 'group', 'aria-label': 'Time range' }, buttons),
    select,
  };
}
