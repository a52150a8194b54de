// Campaigns: how far each has come, and what somebody may do about one. Below them, requests are looked for.
import { post } from './api.js';
import { inspect, phase, placesOf, windowOf } from './campaign.js';
import { ask } from './dialog.js';
import { foreign, h, setText } from './dom.js';
import * as format from './format.js';
import { Listing } from './listing.js';
import { redrive } from './redrive.js';
import { Requests } from './requests.js';
import { ServedPane } from './served.js';
import { t } from './strings.js';

const pathOf = (campaign, rest = '') => `/admin/campaigns/${encodeURIComponent(campaign.campaignId)}${rest}`;

const decidedOf = campaign => campaign.counts.succeeded + campaign.counts.rejected + campaign.counts.failed;
const openOf = campaign => campaign.counts.received + campaign.counts.queued + campaign.counts.processing;

export class Campaigns extends ServedPane {
  #app;
  #list;
  #requests;
  #readings = new Map();

  constructor(app) {
    const list = new Listing(app, {
      id: 'campaigns', path: '/admin/campaigns', field: 'campaigns',
      caption: () => t('campaigns'), text: () => t('campaignsText'), empty: () => t('campaignsEmpty'),
      keyOf: campaign => campaign.campaignId,
      columns: () => [{ label: t('campaign'), class: 'grow' }, { label: t('window') }, { label: t('places'), class: 'number' }, { label: t('openRequests'), class: 'number' },
        { label: t('rejected'), class: 'number' }, { label: t('deadLetters'), class: 'number' }, { label: t('decidedRate'), class: 'number' }, { label: t('actions'), class: 'actions' }],
      cells: campaign => [
        h('span', { class: 'stack small' }, foreign(campaign.campaignId, 200, 'code'), h('span', { class: 'muted' })), '', '', '', '', '', '', this.#actions(campaign)],
      update: (element, campaign) => this.#update(element, campaign),
      loaded: ([answer]) => app.mark('campaigns', answer.items.reduce((sum, campaign) => sum + campaign.counts.failed, 0)),
    });
    super(app, { id: 'campaigns', capability: 'requests', off: 'campaignsOff', list });
    this.#app = app;
    this.#list = list;
    this.#requests = new Requests(app);
  }

  fill(root) {
    const list = h('div', { class: 'stack', id: 'campaigns-list' });
    const search = h('div', { class: 'stack', id: 'requests' });
    root.replaceChildren(list, search);
    this.#list.build(list);
    this.#requests.build(search);
  }

  load() {
    if (!this.isServed) return;
    super.load();
    this.#requests.again();
  }

  #update(element, campaign) {
    const [name, window, places, open, rejected, failed, rate, actions] = element.children;
    setText(name.querySelector('.muted'), `${t(`policy_${campaign.policy}`)} · ${t(phase(campaign))}${campaign.paused && phase(campaign) !== 'phase_paused' ? ` · ${t('phase_paused')}` : ''}`);
    setText(window, windowOf(campaign));
    setText(places, placesOf(campaign));
    setText(open, format.count(openOf(campaign)));
    setText(rejected, format.count(campaign.counts.rejected));
    setText(failed, format.count(campaign.counts.failed));
    failed.classList.toggle('bad-text', campaign.counts.failed > 0);
    setText(rate, this.#rate(campaign));
    const [, pause, close, again] = actions.firstChild.children;
    setText(pause, t(campaign.paused ? 'resume' : 'pauseCampaign'));
    pause.setAttribute('aria-label', t(campaign.paused ? 'resumeOf' : 'pauseOf', { name: campaign.campaignId }));
    close.hidden = campaign.closedAt !== null;
    again.hidden = campaign.counts.failed === 0;
  }

  // From two readings: the node counts decisions, and not how fast they come.
  #rate(campaign) {
    const before = this.#readings.get(campaign.campaignId);
    const now = { at: performance.now(), decided: decidedOf(campaign) };
    this.#readings.set(campaign.campaignId, now);
    if (!before || now.at <= before.at) return '–';
    return format.rate(Math.max(0, (now.decided - before.decided) / ((now.at - before.at) / 1000)));
  }

  #actions(campaign) {
    const name = campaign.campaignId;
    const button = (label, named, click, kind) => h('button', { type: 'button', class: kind, 'aria-label': t(named, { name }), on: { click } }, t(label));
    return h('span', { class: 'row' },
      button('inspect', 'inspectOf', () => inspect(this.#app, campaign, () => this.load())),
      button('pauseCampaign', 'pauseOf', () => this.#pause(campaign)),
      button('closeCampaign', 'closeOf', () => this.#close(campaign), 'quiet-danger'),
      button('redrive', 'redriveOf', () => redrive(this.#app, { campaign: name }, () => this.load())));
  }

  #pause(campaign) {
    const name = campaign.campaignId;
    const to = campaign.paused ? 'resume' : 'pause';
    this.#ask(campaign, to, t(to === 'pause' ? 'pauseOf' : 'resumeOf', { name }), t(`${to}Text`), t(to === 'pause' ? 'pauseCampaign' : 'resume'), t(`${to}Done`, { name }), false);
  }

  #close(campaign) {
    const name = campaign.campaignId;
    this.#ask(campaign, 'close', t('closeOf', { name }), t('closeText'), t('closeCampaign'), t('closeDone', { name }), true);
  }

  #ask(campaign, order, title, text, go, done, isDangerous) {
    ask(title, h('p', {}, text), { go, isDangerous, why: this.#app.why, act: async () => {
      await post(pathOf(campaign, `/${order}`));
      this.#app.say(done);
      this.load();
    } });
  }
}
