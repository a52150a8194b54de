// Redriving: first how many it would be, then, if somebody says so, it is done.
import { post } from './api.js';
import { ask, open } from './dialog.js';
import { foreign, h } from './dom.js';
import { t } from './strings.js';

const PATH = '/admin/requests/redrive';
const SHOWN = 5;

/** `order`: `{campaign, reason}` or `{ids}`. `done()` is called after requests were redriven. */
export async function redrive(app, order, done) {
  let trial;
  try {
    trial = await post(PATH, { ...order, dryRun: true });
  } catch (error) {
    app.say(t('actionFailed', { name: t('redrive'), why: app.why(error) }), true);
    return;
  }
  const which = h('ul', { class: 'ids' }, trial.ids.slice(0, SHOWN).map(id => h('li', {}, foreign(id, 100, 'code'))), trial.ids.length > SHOWN && h('li', { class: 'muted' }, '…'));
  const body = h('div', { class: 'stack' }, h('p', { id: 'dry-run' }, t('redriveTrial', { n: trial.redriven })), trial.redriven > 0 && which,
    trial.more && h('p', { class: 'muted' }, t('redriveMore')), trial.redriven > 0 && h('p', { class: 'muted' }, t('redriveText')));
  if (trial.redriven === 0) {
    open(t('redriveTitle'), body);
    return;
  }
  ask(t('redriveTitle'), body, { go: t('redriveNow', { n: trial.redriven }), why: app.why, act: async () => {
    // What was shown, and nothing that failed since.
    const { redriven } = await post(PATH, { ids: trial.ids });
    app.say(t('redriven', { n: redriven }));
    done();
  } });
}
