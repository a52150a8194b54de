// All words of the console, in English and Korean. `{name}` is filled in; `one|other` is chosen by `{n}`.
import { count, plural } from './format.js';

const TABLE = {
  skip: ['Skip to content', '본문으로 건너뛰기'],
  panes: ['Panes', '화면'],
  overview: ['Overview', '현황'],
  tail: ['Live tail', '실시간 이벤트'],
  objects: ['Objects', '객체'],
  dlq: ['DLQ', 'DLQ'],
  quarantine: ['Quarantine', '격리'],
  node: ['Node', '노드'],
  allNodes: ['All nodes', '모든 노드'],
  help: ['Shortcuts and settings', '단축키와 설정'],
  otherLanguage: ['한국어', 'English'],
  theme_auto: ['Theme: system', '테마: 시스템'],
  theme_light: ['Theme: light', '테마: 밝게'],
  theme_dark: ['Theme: dark', '테마: 어둡게'],

  live: ['Live', '실시간'],
  connecting: ['Connecting…', '연결 중…'],
  polling: ['Polling', '폴링 중'],
  away: ['Reconnecting…', '다시 연결 중…'],
  away_long: ['The server does not answer. What you see is from {when}. The page tries again by itself.', '서버가 응답하지 않습니다. 화면은 {when}의 상태이며, 자동으로 다시 연결합니다.'],
  signedOut: ['This session has ended.', '세션이 끝났습니다.'],
  signIn: ['Sign in', '로그인'],
  signOut: ['Sign out', '로그아웃'],

  allWell: ['Taking events; storage answers.', '이벤트를 받고 있으며 저장소가 응답합니다.'],
  notReady: ['Takes no events now: {why}.', '지금은 이벤트를 받지 않습니다: {why}.'],
  storageFails: ['Storage fails: {why}. The node still takes events and keeps them on its disk. It stores them once storage answers.', '저장소 오류: {why}. 이벤트는 계속 받아 디스크에 보관하며, 저장소가 응답하면 저장합니다.'],
  storageFailsBare: ['Storage does not take objects. The node still takes events and keeps them on its disk. It stores them once storage answers.', '저장소가 객체를 받지 않습니다. 이벤트는 계속 받아 디스크에 보관하며, 저장소가 응답하면 저장합니다.'],
  spoolFails: ['The disk of the spool fails: see the log.', '스풀 디스크 오류: 로그를 확인하세요.'],
  dlqWaits: ['{n} event waits in the DLQ. The node tries it again by itself.|{n} events wait in the DLQ. The node tries them again by itself.', 'DLQ에 이벤트 {n}건이 대기 중이며 자동으로 재시도합니다.'],
  someDropped: ['{n} event was dropped.|{n} events were dropped.', '이벤트 {n}건이 버려졌습니다.'],
  nodeSilent: ['{node}: {why}', '{node}: {why}'],

  welcome: ['No event yet. Send the first one.', '아직 이벤트가 없습니다. 첫 이벤트를 보내 보세요.'],
  welcomeText: ['Any HTTP client can send. The node stores the body as it is. From a terminal:', '어떤 HTTP 클라이언트든 됩니다. 본문은 그대로 저장됩니다. 터미널에서:'],
  copy: ['Copy', '복사'],
  copied: ['Copied.', '복사했습니다.'],
  copyFailed: ['Not copied: the browser did not allow it. Select the line and copy it by hand.', '브라우저가 허용하지 않아 복사하지 못했습니다. 직접 선택해 복사하세요.'],
  orButton: ['Or from here:', '또는 여기서:'],
  sendTest: ['Send a test event', '테스트 이벤트 보내기'],
  writeKey: ['Write key', '쓰기 키'],
  sending: ['Sending…', '보내는 중…'],
  sendFailed: ['The node did not take it: {why}', '받지 못했습니다: {why}'],
  journey: ['Where your event is', '이벤트의 위치'],
  step_taken: ['Taken', '수신됨'],
  step_takenText: ['Acknowledged at level {level}.', '{level} 수준으로 확인되었습니다.'],
  step_tail: ['Seen live', '실시간으로 보기'],
  step_tailText: ['The live tail shows events while it is open. Open it and send another one.', '실시간 이벤트 화면이 열려 있는 동안 지나갑니다. 열고 하나 더 보내 보세요.'],
  step_stored: ['Stored', '저장됨'],
  step_waiting: ['Its batch is stored within {flush}, as', '묶음은 {flush} 안에 다음 이름으로 저장됩니다:'],
  step_storedText: ['It is in', '저장된 객체:'],
  step_dlqText: ['Storage did not take it. It waits in the DLQ, as', '저장소가 받지 않아 DLQ에서 대기 중입니다:'],
  openTail: ['Open the live tail', '실시간 이벤트 열기'],
  openObject: ['Show the object', '객체 보기'],
  openDlq: ['Open the DLQ', 'DLQ 열기'],
  dismiss: ['Close', '닫기'],

  eventsIn: ['Events in', '수신'],
  eventsStored: ['Events stored', '저장'],
  perSecond: ['{n}/s', '초당 {n}건'],
  inTotal: ['{n} in all', '총 {n}건'],
  requestsRate: ['{n} requests/s', '초당 요청 {n}건'],
  ackLatency: ['Ack latency', '응답 지연'],
  ackP50: ['median {n}', '중앙값 {n}'],
  noSamples: ['no sample in the last 10 s', '최근 10초간 표본 없음'],
  oldest: ['Oldest unflushed', '가장 오래된 미저장'],
  oldestNone: ['nothing waits', '대기 없음'],
  waiting: ['{n} event waits|{n} events wait', '{n}건 대기'],
  refused: ['Refused', '거절'],
  refusedTotal: ['{n} in all', '총 {n}건'],
  chartRates: ['Events a second', '초당 이벤트'],
  chartAck: ['Ack latency', '응답 지연'],
  chartNow: ['Last 10 minutes: peak in {peak}, stored {storedPeak}', '최근 10분: 최고 수신 {peak}, 저장 {storedPeak}'],
  chartAckNow: ['Last 10 minutes: highest p99 {peak}', '최근 10분: 최고 p99 {peak}'],
  p50: ['p50', 'p50'],
  p99: ['p99', 'p99'],

  conservation: ['Where every event is', '모든 이벤트의 위치'],
  accepted: ['accepted', '수신'],
  found: ['found at start', '시작 때 발견'],
  stored: ['stored', '저장'],
  buffered: ['buffered', '메모리'],
  spooled: ['spooled', '스풀'],
  dlqPlace: ['DLQ', 'DLQ'],
  quarantined: ['quarantined', '격리'],
  dropped: ['dropped', '버림'],
  holds: ['It adds up: every event is accounted for.', '합이 맞습니다. 모든 이벤트의 위치를 압니다.'],
  differs: ['It does not add up: {n} event is unaccounted for.|It does not add up: {n} events are unaccounted for.', '합이 맞지 않습니다. {n}건의 위치를 알 수 없습니다.'],
  noEventsHere: ['This node is a gateway: it keeps no events. Its silos do.', '이 노드는 게이트웨이라 이벤트를 보관하지 않습니다. 사일로가 보관합니다.'],

  disk: ['On this disk', '디스크'],
  spoolLine: ['Spool', '스풀'],
  dlqLine: ['DLQ', 'DLQ'],
  ofMax: ['{n} of {max}', '{max} 중 {n}'],
  files: ['{n} file|{n} files', '파일 {n}개'],
  eventsN: ['{n} event|{n} events', '이벤트 {n}건'],
  waitingSegments: ['{n} batch waits|{n} batches wait', '묶음 {n}개 대기'],
  uploads: ['Uploads', '업로드'],
  queue: ['Queue', '대기열'],
  batchesN: ['{n} batch|{n} batches', '묶음 {n}개'],
  sealed: ['Sealed so far', '봉인한 묶음'],
  uploadP50: ['Upload, median', '업로드 중앙값'],
  storage: ['Storage', '저장소'],
  answers: ['answers', '응답함'],
  fails: ['fails', '오류'],
  process: ['Process', '프로세스'],
  cpu: ['CPU', 'CPU'],
  memory: ['Memory', '메모리'],
  heap: ['managed heap', '관리 힙'],
  started: ['Started', '시작'],
  version: ['Version', '버전'],
  ackLevel: ['Ack level', 'Ack 수준'],
  flushInterval: ['Flush interval', '저장 주기'],
  flushNow: ['Flush now', '지금 저장'],
  flushed: ['{n} event is uploaded now.|{n} events are uploaded now.', '이벤트 {n}건을 지금 업로드합니다.'],
  flushedNone: ['No batch is open.', '열린 묶음이 없습니다.'],
  retryNow: ['Try again now', '지금 다시 시도'],
  retried: ['Due now: {segments} batches of the spool, {files} files of the DLQ.', '지금 재시도합니다: 스풀 묶음 {segments}개, DLQ 파일 {files}개.'],
  retriedNone: ['Nothing waits.', '대기 중인 것이 없습니다.'],
  retriedFailed: ['Storage does not answer, so nothing was tried: {why}', '저장소가 응답하지 않아 시도하지 않았습니다: {why}'],
  keysOn: ['Write keys', '쓰기 키'],
  keysYes: ['required', '필요'],
  keysNo: ['none: ingestion is open', '없음: 누구나 보낼 수 있음'],
  refusals: ['Refusals by reason', '거절 사유'],
  noRefusals: ['None since the start.', '시작 이후 없음.'],
  reason_too_large: ['too large (413)', '너무 큼 (413)'],
  reason_queue_full: ['queue full (503)', '대기열 가득 참 (503)'],
  reason_storage_full: ['disk or DLQ full (503)', '디스크 또는 DLQ 가득 참 (503)'],
  reason_disk_failed: ['disk failed (503)', '디스크 오류 (503)'],
  reason_draining: ['draining (503)', '종료 중 (503)'],
  reason_no_replica: ['no other silo for a copy (503)', '사본을 둘 사일로 없음 (503)'],
  reason_no_silo: ['no silo can take events (503)', '받을 사일로 없음 (503)'],
  reason_unknown: ['may or may not be stored (503)', '수신 여부 불확실 (503)'],
  reason_unauthorized: ['no or wrong key (401)', '키 없음 또는 틀림 (401)'],
  reason_rate_limited: ['over its rate or quota (429)', '한도 초과 (429)'],
  reason_invalid: ['cannot be read (400)', '읽을 수 없음 (400)'],
  nodes: ['Nodes', '노드'],
  role: ['Role', '역할'],
  state: ['State', '상태'],
  ready: ['ready', '정상'],
  silent: ['no answer', '응답 없음'],
  sum: ['Sum', '합계'],
  waitingColumn: ['Waiting', '대기'],

  lastObjects: ['Last objects', '최근 객체'],
  lastObjectsText: ['What this process stored last, newest first.', '이 프로세스가 최근에 저장한 객체입니다. 최신순.'],
  noObjects: ['Nothing stored yet. A batch is stored {flush} after its first event, or when it is full.', '아직 저장된 객체가 없습니다. 묶음은 첫 이벤트로부터 {flush} 뒤, 또는 가득 차면 저장됩니다.'],
  key: ['Key', '키'],
  events: ['Events', '이벤트'],
  size: ['Size', '크기'],
  sizeBoth: ['{stored} (JSONL {jsonl})', '{stored} (JSONL {jsonl})'],
  storedAt: ['Stored', '저장 시각'],
  actions: ['Actions', '작업'],
  preview: ['Preview', '미리 보기'],
  previewOf: ['Preview {name}', '{name} 미리 보기'],
  download: ['Download', '내려받기'],
  downloadOf: ['Download {name}', '{name} 내려받기'],
  firstLines: ['First line|First {n} lines', '처음 {n}줄'],
  allLines: ['Its only line|All {n} lines', '전체 {n}줄'],
  noLines: ['No lines can be read from it.', '읽을 수 있는 줄이 없습니다.'],
  loading: ['Loading…', '불러오는 중…'],
  showMore: ['Show more', '더 보기'],
  loadFailed: ['The page cannot load this: {why}', '불러오지 못했습니다: {why}'],
  unreachable: ['the server does not answer', '서버가 응답하지 않습니다'],
  timeout: ['no answer in time', '시간 안에 응답이 없습니다'],
  close: ['Close', '닫기'],

  dlqTitle: ['Dead letter queue', 'DLQ (재시도 대기열)'],
  dlqText: ['Batches whose upload failed wait here, on disk. The node tries each of them again by itself. Nothing is lost.', '업로드에 실패한 묶음이 디스크에서 대기합니다. 자동으로 재시도하며 잃는 것은 없습니다.'],
  dlqEmpty: ['Empty: no batch waits here.', '비어 있습니다. 저장소가 정상적으로 받고 있습니다.'],
  dlqSummary: ['{files} files, {size} of {max}', '파일 {files}개, {max} 중 {size}'],
  name: ['Name', '이름'],
  age: ['Age', '경과'],
  reason: ['Reason', '사유'],
  attempts: ['Attempts', '시도'],
  nextDue: ['Next try', '다음 시도'],
  dueNow: ['now', '지금'],
  expired: ['over age', '기한 지남'],
  inspect: ['Inspect', '살펴보기'],
  inspectOf: ['Inspect {name}', '{name} 살펴보기'],
  retry: ['Retry now', '지금 재시도'],
  retryOf: ['Retry {name} now', '{name} 지금 재시도'],
  retryAll: ['Retry all now', '모두 지금 재시도'],
  retryingAll: ['{n} file is due now.|{n} files are due now.', '파일 {n}개를 지금 재시도합니다.'],
  retrying: ['Retrying {name}…', '{name} 재시도 중…'],
  outcome_stored: ['{name} is stored.', '{name}: 저장했습니다.'],
  outcome_quarantined: ['{name} cannot be read and is in quarantine. {why}', '{name}: 읽을 수 없어 격리했습니다. {why}'],
  outcome_failed: ['{name} was not stored: {why}', '{name}: 저장하지 못했습니다: {why}'],
  actionFailed: ['{name}: {why}', '{name}: {why}'],
  discard: ['Discard', '버리기'],
  discardOf: ['Discard {name}', '{name} 버리기'],
  discardTitle: ['Discard these events?', '이 이벤트를 버릴까요?'],
  discardText: ['This deletes {n} event for good. It is not in storage, and nobody can bring it back. The ledger counts it as dropped.|This deletes {n} events for good. They are not in storage, and nobody can bring them back. The ledger counts them as dropped.',
    '이벤트 {n}건을 영구히 삭제합니다. 저장소에 없는 이벤트이며 되돌릴 수 없습니다. 원장에는 버림으로 기록됩니다.'],
  discardQuarantineText: ['This deletes the object with {n} event for good. Nobody can bring it back.|This deletes the object with {n} events for good. Nobody can bring them back.', '이벤트 {n}건이 든 객체를 영구히 삭제합니다. 되돌릴 수 없습니다.'],
  discardDownload: ['Download it first', '먼저 내려받기'],
  typeCount: ['To go on, type how many events are lost ({n}):', '계속하려면 잃게 될 이벤트 수({n})를 입력하세요:'],
  discardNow: ['Discard {n} event|Discard {n} events', '이벤트 {n}건 버리기'],
  cancel: ['Cancel', '취소'],
  discarded: ['{n} event of {name} was discarded.|{n} events of {name} were discarded.', '{name}: 이벤트 {n}건을 버렸습니다.'],

  quarantineText: ['Objects that could not be read as gzip JSONL. They are in storage under {prefix}/. The node does not try them again by itself.', 'gzip JSONL로 읽을 수 없는 객체입니다. 저장소의 {prefix}/ 아래에 있으며 자동으로 재시도하지 않습니다.'],
  quarantineEmpty: ['Empty: everything could be read.', '비어 있습니다. 모두 읽을 수 있었습니다.'],
  unknown: ['unknown', '알 수 없음'],

  tailText: ['A sample of the events that this node accepts, as they will be stored.', '이 노드가 받는 이벤트의 표본을, 저장될 모습 그대로 보여 줍니다.'],
  contains: ['Contains', '포함'],
  containsHint: ['any text, in upper or lower case', '대소문자 구분 없음'],
  where: ['Where', '조건'],
  whereHint: ['$.page=/home, several with &&', '$.page=/home, 여러 개는 &&'],
  whereWrong: ['Where must be PATH=VALUE, such as $.page=/home. Join several with &&.', '조건은 경로=값 형식입니다. 예: $.page=/home. 여러 개는 &&로 잇습니다.'],
  tailRate: ['At most', '최대'],
  perSecondOption: ['{n} a second', '초당 {n}건'],
  start: ['Start', '시작'],
  pause: ['Pause', '일시 정지'],
  clear: ['Clear', '지우기'],
  tailPaused: ['Paused.', '일시 정지됨.'],
  tailRunning: ['Watching: {seen} seen, {matched} matched, {sent} shown, {skipped} skipped in the last second.', '보는 중: 최근 1초간 {seen}건 확인, {matched}건 일치, {sent}건 표시, {skipped}건 건너뜀.'],
  tailWaiting: ['Watching. Events appear here as they arrive.', '보는 중입니다. 이벤트가 도착하면 여기에 나타납니다.'],
  tailIdle: ['Press Start. Events appear here as they arrive, the newest first.', '시작하면 도착하는 이벤트가 최신순으로 나타납니다.'],
  tailEnded: ['The stream ended: {why}. The page connects again.', '스트림이 끊겼습니다: {why}. 다시 연결합니다.'],
  tailBounded: ['The newest {n} are kept.', '최신 {n}건을 보관합니다.'],
  tailRows: ['Events, newest first', '이벤트, 최신순'],

  keysTitle: ['Shortcuts and settings', '단축키와 설정'],
  key_panes: ['Overview, tail, objects, DLQ, quarantine', '현황, 실시간, 객체, DLQ, 격리'],
  key_pause: ['Start or pause the live tail', '실시간 이벤트 시작·정지'],
  key_filter: ['Go to the filter of the live tail', '실시간 이벤트 필터로'],
  key_theme: ['Next theme', '테마 바꾸기'],
  key_language: ['Change the language', '언어 바꾸기'],
  key_help: ['This list', '이 목록'],
  key_escape: ['Close what is open', '열린 창 닫기'],
  keysOnOff: ['Use shortcut keys', '단축키 사용'],
};

let chosen = 0;

export const language = () => chosen === 1 ? 'ko' : 'en';

/** The language somebody chose before, else the first that the browser prefers and there are words in. */
export function chooseLanguage() {
  const saved = remember('language');
  const wanted = saved ? [saved] : navigator.languages ?? [navigator.language];
  for (const tag of wanted) {
    if (/^ko\b/i.test(tag)) return use(1);
    if (/^en\b/i.test(tag)) return use(0);
  }
  use(0);
}

export function switchLanguage() {
  use(1 - chosen);
  keepInMind('language', language());
}

function use(index) {
  chosen = index;
  document.documentElement.lang = language();
}

/** The words for a key. Numbers in `values` are written as the language does. */
export function t(key, values) {
  const row = TABLE[key];
  if (!row) throw new Error(`no words for ${key}`);
  let text = row[chosen];
  if (!values) return text;
  const forms = text.split('|');
  if (forms.length === 2) text = plural(Number(values.n)) === 'one' ? forms[0] : forms[1];
  return text.replace(/\{(\w+)\}/g, (_, name) => typeof values[name] === 'number' ? count(values[name]) : values[name] ?? '');
}

export const hasWords = key => key in TABLE;

/** What is in the page already: its words by attribute. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll('[data-t-label]')) element.setAttribute('aria-label', t(element.dataset.tLabel));
}

/** A setting of this browser's; null without storage. */
export function remember(name) {
  try {
    return localStorage.getItem(`estat.${name}`);
  } catch {
    return null;
  }
}

export function keepInMind(name, value) {
  try {
    localStorage.setItem(`estat.${name}`, value);
  } catch {
    // Without storage it holds until the page is closed.
  }
}
