// What somebody may have done about events that wait: try them again, or give them up.
import { post } from './api.js';
import { open } from './dialog.js';
import { foreign, h, setText } from './dom.js';
import { t } from './strings.js';

/** Has one be tried at once, says what came of it, and reads the list again. */
export async function retry(app, pane, name, path, button) {
  button.disabled = true;
  app.say(t('retrying', { name }));
  try {
    const { outcome, detail } = await post(path);
    app.say(t(`outcome_${outcome}`, { name, why: detail ?? '' }), outcome !== 'stored');
  } catch (error) {
    app.say(t('actionFailed', { name, why: app.why(error) }), true);
  }
  button.disabled = false;
  pane.load();
}

/** A window that says what is lost and takes its number, typed by hand. `events` is that number; `discard()` does it, and may throw. */
export function askToDiscard(app, { name, text, events, download, lines, discard }) {
  const typed = h('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off', id: 'discard-count', 'aria-describedby': 'discard-lost' });
  const go = h('button', { type: 'submit', class: 'danger', disabled: true }, t('discardNow', { n: events }));
  const problem = h('p', { class: 'bad-text', role: 'alert' });
  const form = h('form', { class: 'stack' },
    h('p', { id: 'discard-lost', class: 'notice bad' }, text), foreign(name, 1024, 'code'), lines, h('p', {}, download),
    h('label', { for: 'discard-count' }, t('typeCount', { n: events })), typed, problem,
    h('div', { class: 'row' }, go, h('button', { type: 'button', on: { click: () => element.close() } }, t('cancel'))));
  const isTyped = () => typed.value.replace(/[\s.,'’_]/g, '') === String(events);
  typed.addEventListener('input', () => go.disabled = !isTyped());
  form.addEventListener('submit', async event => {
    event.preventDefault();
    if (!isTyped() || go.disabled) return;
    go.disabled = true;
    try {
      const { discarded } = await discard();
      element.close();
      app.say(t('discarded', { n: discarded, name }));
    } catch (error) {
      setText(problem, app.why(error));
      go.disabled = false;
    }
  });
  const element = open(t('discardTitle'), form, { wide: true });
  return element;
}
