// One campaign in a window: its counts, the oldest open request, its dead letters by reason, and the proof of its draw.
import { address, get } from './api.js';
import { open } from './dialog.js';
import { foreign, h, row, table } from './dom.js';
import * as format from './format.js';
import { redrive } from './redrive.js';
import { t } from './strings.js';

const STATES = ['received', 'queued', 'processing', 'succeeded', 'rejected', 'failed'];
const MOST_LETTERS = 200;

/** What a campaign does at this moment, as a word of the table of words. */
export function phase(campaign) {
  if (campaign.drawn) return 'phase_drawn';
  if (campaign.closedAt || (campaign.closesAt && Date.parse(campaign.closesAt) <= format.now())) return 'phase_closed';
  if (Date.parse(campaign.opensAt) > format.now()) return 'phase_notYet';
  return campaign.paused ? 'phase_paused' : 'phase_open';
}

export function windowOf(campaign) {
  const moment = time => time ? format.moment(Date.parse(time)) : t('noEnd');
  return `${moment(campaign.opensAt)} – ${moment(campaign.closedAt ?? campaign.closesAt)}`;
}

/** Places that are taken, of all; a webhook has none. */
export function placesOf(campaign) {
  const places = campaign.capacity ?? campaign.winners;
  return places === undefined ? format.count(campaign.counts.succeeded) : t('ofMax', { n: campaign.counts.succeeded, max: places });
}

const facts = rows => h('dl', { class: 'about' }, rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

export function inspect(app, campaign, changed) {
  const { counts } = campaign;
  const oldest = h('dd', {}, '–');
  const letters = h('div', { class: 'stack', id: 'dead-letters' });
  const proof = h('div', { class: 'stack', id: 'proof' });
  const about = facts([
    [t('policy'), t(`policy_${campaign.policy}`)], [t('state'), t(phase(campaign))], [t('window'), windowOf(campaign)], [t('places'), placesOf(campaign)],
    [t('acceptedRequests'), format.count(counts.accepted)], ...STATES.map(state => [t(`count_${state}`), format.count(counts[state])]),
    ...campaign.webhook ? [[t('webhook'), foreign(campaign.webhook.url, 500)]] : [],
  ]);
  about.append(h('div', {}, h('dt', {}, t('oldestOpen')), oldest));
  open(campaign.campaignId, h('div', { class: 'stack' }, about, letters, proof), { wide: true });
  fillOldest(app, campaign, oldest);
  if (counts.failed > 0) fillLetters(app, campaign, letters, changed);
  if (campaign.policy === 'draw') fillProof(app, campaign, proof);
}

// The first that waits, by sequence. Behind very many decided ones the node finds none on its first page, and then nobody knows.
async function fillOldest(app, campaign, element) {
  const { counts } = campaign;
  if (counts.queued + counts.processing === 0) return element.replaceChildren(t('oldestNone'));
  try {
    const first = await Promise.all(['PROCESSING', 'QUEUED'].map(status => get(address('/admin/requests', { campaign: campaign.campaignId, status, limit: 1 }))));
    const times = first.flatMap(page => page.requests).map(request => Date.parse(request.receivedAt)).filter(Number.isFinite);
    element.replaceChildren(times.length > 0 ? format.relative(Math.min(...times)) : t('unknown'));
  } catch (error) {
    element.replaceChildren(t('loadFailed', { why: app.why(error) }));
  }
}

async function fillLetters(app, campaign, root, changed) {
  try {
    const { requests } = await get(address('/admin/requests', { campaign: campaign.campaignId, status: 'FAILED_FINAL', limit: MOST_LETTERS }));
    const reasons = new Map();
    for (const { reason = '', failure = '' } of requests) {
      const known = reasons.get(reason) ?? { n: 0, failure };
      known.n++;
      reasons.set(reason, known);
    }
    const columns = [{ label: t('reason') }, { label: t('deadLetters'), class: 'number' }, { label: t('lastFailure'), class: 'reason' }, { label: t('actions'), class: 'actions' }];
    const list = table(t('deadLettersBy'), columns);
    for (const [reason, { n, failure }] of reasons) {
      list.body.append(row(columns, [foreign(reason, 200, 'code'), format.count(n), foreign(failure, 300),
        h('button', { type: 'button', 'aria-label': t('redriveOf', { name: reason }), on: { click: () => redrive(app, { campaign: campaign.campaignId, reason }, changed) } }, t('redrive'))]));
    }
    root.replaceChildren(list.element, requests.length < campaign.counts.failed ? h('p', { class: 'muted' }, t('deadLettersSome', { n: requests.length })) : '');
  } catch (error) {
    root.replaceChildren(h('p', { class: 'bad-text' }, t('loadFailed', { why: app.why(error) })));
  }
}

async function fillProof(app, campaign, root) {
  const path = `/campaigns/${encodeURIComponent(campaign.campaignId)}/draw`;
  const link = (href, text) => h('a', { href, target: '_blank', rel: 'noreferrer' }, text);
  try {
    const draw = await get(path);
    const rows = [[t('seedHash'), foreign(draw.seedHash, 100, 'code')], [t('winners'), format.count(draw.winners)]];
    if (draw.beacon) rows.push([t('beacon'), foreign(`${draw.beacon.chain} / ${draw.beacon.round}${draw.beacon.value ? ` = ${draw.beacon.value}` : ''}`, 500, 'code')]);
    if (draw.drawn) {
      rows.push([t('drawSeed'), foreign(draw.seed, 100, 'code')], [t('drawCut'), foreign(draw.cut, 100, 'code')], [t('drawRequests'), format.count(draw.requests)],
        [t('drawnAt'), format.moment(Date.parse(draw.drawnAt))], [t('drawCheck'), h('code', {}, `estat draw verify ${location.origin}/campaigns/${campaign.campaignId}`)]);
    }
    root.replaceChildren(h('h3', {}, t('proof')), draw.drawn ? '' : h('p', { class: 'muted' }, t('notDrawn')), facts(rows),
      h('p', { class: 'row' }, link(path, t('proofLink')), draw.drawn && link(`${path}/requests`, t('proofList'))));
  } catch (error) {
    root.replaceChildren(h('p', { class: 'bad-text' }, t('loadFailed', { why: app.why(error) })));
  }
}
