// One topic in a window: its partitions, and the last messages of one of them, read from the log again while the window is open.
import { address, get } from './api.js';
import { open } from './dialog.js';
import { foreign, h, row, setText, table } from './dom.js';
import * as format from './format.js';
import { t } from './strings.js';

const AGAIN_MS = 3000;
const SHOWN = 20n;

/** Messages that the log has taken. */
export const producedOf = topic => topic.partitions.reduce((sum, partition) => sum + Number(partition.endOffset), 0);

const textOf = bytes => bytes === undefined ? '' : t('noText', { n: bytes.length });

export function inspect(app, name) {
  const partitionColumns = ['partition', 'startOffset', 'endOffset', 'storedOffset', 'lag'].map(name => ({ label: t(name), class: 'number' }));
  const messageColumns = [{ label: t('offset'), class: 'number' }, { label: t('messageTime') }, { label: t('messageKey'), class: 'reason' }, { label: t('messageValue'), class: 'grow' }];
  const partitions = table(t('partitions'), partitionColumns);
  const messages = table(t('lastMessages'), messageColumns);
  const cuts = h('div', { class: 'stack small' });
  const problem = h('p', { class: 'bad-text', role: 'alert' });
  const choice = h('select', { id: 'topic-partition', on: { change: () => load() } });
  const element = open(name, h('div', { class: 'stack', id: 'topic-window' }, problem, partitions.element, cuts,
    h('label', { class: 'field-inline' }, h('span', {}, t('partition')), ' ', choice), messages.element), { wide: true });

  const number = (value, write = text => text) => value === null ? t('unknown') : write(value);

  let asked = 0;
  let running = 0;

  // An answer that comes after a newer question is nobody's any more.
  async function load() {
    const mine = ++asked;
    running++;
    try {
      const topic = await get(`/admin/topics/${encodeURIComponent(name)}`);
      if (mine !== asked) return;
      partitions.body.replaceChildren(...topic.partitions.map(one => row(partitionColumns, [String(one.partition), one.startOffset, one.endOffset, number(one.storedOffset), number(one.lag, format.count)])));
      cuts.replaceChildren(...topic.cuts.map(cut => h('p', { class: 'muted' }, t('partitionsCut', { when: format.moment(Date.parse(cut.at)), n: cut.partitions }))));
      if (choice.options.length !== topic.partitionCount) {
        const before = choice.value || String(fullest(topic));
        choice.replaceChildren(...topic.partitions.map(one => h('option', { value: one.partition }, String(one.partition))));
        choice.value = before;
      }
      const one = topic.partitions[Number(choice.value)];
      const from = BigInt(one.endOffset) - SHOWN;
      const { data } = await get(address(`/api/topics/${encodeURIComponent(name)}/records`, { partition: one.partition, offset: from > 0n ? from : 0n, limit: SHOWN }));
      if (mine !== asked) return;
      messages.body.replaceChildren(...data.reverse().map(message => row(messageColumns, [
        message.offset, h('time', { datetime: message.timestamp }, format.moment(Date.parse(message.timestamp))), foreign(message.key ?? textOf(message.keyBase64), 200),
        foreign(message.valueBase64 === undefined ? JSON.stringify(message.value) : textOf(message.valueBase64), 500, 'code')])));
      setText(problem, '');
    } catch (error) {
      if (mine === asked) setText(problem, t('loadFailed', { why: app.why(error) }));
    } finally {
      running--;
    }
  }

  const timer = setInterval(() => running === 0 && load(), AGAIN_MS);
  element.addEventListener('close', () => clearInterval(timer));
  load();
}

// Where a reader most likely finds something.
const fullest = topic => topic.partitions.reduce((most, one) => BigInt(one.endOffset) > BigInt(most.endOffset) ? one : most).partition;
