// Windows over the page: the element knows to keep focus inside, to close by Escape, and to give focus back.
import { h, setText } from './dom.js';
import { t } from './strings.js';

/** Opens a window; `close` ends it. It is removed once closed. */
export function open(title, body, { actions = [], wide = false } = {}) {
  const heading = h('h2', { id: 'dialog-title', tabindex: '-1' }, title);
  const close = h('button', { type: 'button', on: { click: () => element.close() } }, t('close'));
  const element = h('dialog', { 'aria-labelledby': 'dialog-title', class: wide ? 'wide' : '' },
    h('header', { class: 'row spread' }, heading, close), h('div', { class: 'dialog-body' }, body), actions.length > 0 && h('footer', { class: 'row' }, actions));
  const before = document.activeElement;
  element.addEventListener('close', () => {
    element.remove();
    (before?.isConnected ? before : document.getElementById('content')).focus();
  });
  // A click on what is behind closes, one inside does not.
  element.addEventListener('click', event => event.target === element && element.close());
  document.body.append(element);
  element.showModal();
  heading.focus();
  return element;
}

/** A question with one way to go on. `act()` does it; what it throws is said by `why`, and the question stays. */
export function ask(title, body, { go, isDangerous = false, act, why }) {
  const problem = h('p', { class: 'bad-text', role: 'alert' });
  const button = h('button', { type: 'button', class: isDangerous ? 'danger' : 'primary', on: { click: async () => {
    button.disabled = true;
    try {
      await act();
      element.close();
    } catch (error) {
      setText(problem, why(error));
      button.disabled = false;
    }
  } } }, go);
  const element = open(title, h('div', { class: 'stack' }, body, problem),
    { actions: [button, h('button', { type: 'button', on: { click: () => element.close() } }, t('cancel'))] });
  return element;
}
