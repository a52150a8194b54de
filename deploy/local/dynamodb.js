// DynamoDB for tests and local runs, in memory: dynalite, and what Estat needs beyond it: transactions over items, the item that a failed condition
// found, UpdateTimeToLive, and faults on demand. Nothing outlives the process. Never for production: whoever reaches the port may do everything.
//
//   NODE_PATH=FOLDER/node_modules node dynamodb.js PORT      listens on 127.0.0.1 and then prints "ready"
//
// POST /__faults takes JSON: for each kind a probability from 0 to 1, and
//   conflict      another write holds the item: a transaction is cancelled, a single write refused; nothing is applied
//   throttle      too much at once: refused; of a batch, sometimes a part stays unprocessed
//   lost          the write is applied, and the connection breaks without an answer
//   unavailable   503, nothing applied
//   lateIndexMs   global indexes show what was true so long ago (each by itself; reads of the table, consistent or not, are never late)
//   delayMs       each operation waits so long before it begins
//   operations    only these, for example ["TransactWriteItems"]; without it, all. lateIndexMs and delayMs do not look at it
//   seed          the same seed, the same faults in the same order of requests
'use strict'
const { createHash } = require('crypto')
const http = require('http')
const db = require('dynalite/db')
const validations = require('dynalite/validations')
const memory = require('./dynamodb-memory.js')
const { Faults } = require('./faults.js')

// dynalite makes its store by this function, once, and gets ours.
let store
db.create = options => (store = memory(options))
const dynalite = require('dynalite')({ createTableMs: 10, updateTableMs: 10, deleteTableMs: 10 })

const faults = new Faults(['conflict', 'throttle', 'lost', 'unavailable'], ['lateIndexMs', 'delayMs'], now => {
  store.lateMs = now.amount('lateIndexMs')
})

const MAX_ACTIONS = 100
const MAX_TRANSACTION = 4 * 1024 * 1024
const TOKEN_LIFE = 10 * 60 * 1000
const MAX_TOKENS = 100_000

const refusal = (type, members, statusCode = 400) =>
  ({ statusCode, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, ...members } })
const invalid = message => ({ statusCode: 400, body: { __type: 'com.amazon.coral.validate#ValidationException', message } })
const throttled = () => refusal('ProvisionedThroughputExceededException', {
  message: 'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level.'
})
const isRefusal = (error, type) => Boolean(error.body?.__type?.endsWith(`#${type}`))

const cancelled = CancellationReasons => refusal('TransactionCanceledException', {
  Message: 'Transaction cancelled, please refer cancellation reasons for specific reasons ' +
    `[${CancellationReasons.map(({ Code }) => Code).join(', ')}]`,
  CancellationReasons
})
const NONE = { Code: 'None' }

// require() looks for the file each time, which takes longer than the action.
const modules = new Map()
function dynalites(folder, operation) {
  const path = `dynalite/${folder}/${operation}`
  let loaded = modules.get(path)
  if (!loaded) modules.set(path, (loaded = require(path)))
  return loaded
}

// A request as dynalite's own front would hand it on: checked, its expressions parsed, and without what dynalite does not know.
function checked(operation, request) {
  const { types, custom } = dynalites('validations', operation)
  const wanted = request.ReturnValuesOnConditionCheckFailure
  if (wanted != null && wanted !== 'ALL_OLD' && wanted !== 'NONE') {
    throw invalid(`1 validation error detected: Value '${wanted}' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: ` +
      'Member must satisfy enum value set: [ALL_OLD, NONE]')
  }
  const data = validations.checkTypes(request, types)
  validations.checkValidations(data, types, custom, store)
  return data
}

// Runs one of dynalite's actions. Only Query and Scan, which read streams, are not done when it returns.
const begin = (operation, data, done) => dynalites('actions', operation)(store, data, done)
const run = (operation, data) =>
  new Promise((resolve, reject) => begin(operation, data, (error, result) => (error ? reject(error) : resolve(result))))

function runAtOnce(operation, data) {
  let outcome
  begin(operation, data, (error, result) => (outcome = { error, result }))
  if (!outcome) throw new Error(`${operation} was not done at once`)
  if (outcome.error) throw outcome.error
  return outcome.result
}

function tableOf(name) {
  let found
  store.getTable(name, (error, table) => (found = { error, table }))
  if (found.error) throw found.error
  return found.table
}

// Where a write goes, and the item that is there now.
function placeOf({ TableName, Item, Key }) {
  const table = tableOf(TableName)
  const wrong = Item ? db.validateItem(Item, table) : db.validateKey(Key, table)
  if (wrong) throw wrong
  const key = db.createKey(Item ?? Key, table)
  const rows = store.getItemDb(TableName)
  return { id: `${TableName} ${key}`, rows, key, item: rows.read(key) }
}

const CONDITION_FAILED = 'The conditional request failed'
const found = (wanted, item) => (wanted === 'ALL_OLD' && item ? { Item: item } : {})

const write = operation => request => {
  // To check a request takes out what dynalite does not know.
  const { ReturnValuesOnConditionCheckFailure: wanted } = request
  const data = checked(operation, request)
  try {
    return runAtOnce(operation, data)
  } catch (error) {
    if (isRefusal(error, 'ConditionalCheckFailedException')) {
      Object.assign(error.body, found(wanted, placeOf(data).item))
    }
    throw error
  }
}
const read = operation => request => run(operation, checked(operation, request))

// What each part of a transaction is outside of one; a ConditionCheck reads like a conditional delete, and is never run.
const ALONE = { Put: 'putItem', Update: 'updateItem', Delete: 'deleteItem', ConditionCheck: 'deleteItem' }

function partsOf(TransactItems) {
  if (!Array.isArray(TransactItems) || TransactItems.length < 1 || TransactItems.length > MAX_ACTIONS) {
    throw invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: " +
      `Member must have length less than or equal to ${MAX_ACTIONS}, and at least 1`)
  }
  return TransactItems.map(part => {
    const [kind, ...more] = Object.keys(part)
    if (!ALONE[kind] || more.length > 0) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete')
    return { kind, wanted: part[kind].ReturnValuesOnConditionCheckFailure, data: checked(ALONE[kind], part[kind]) }
  })
}

// Tokens of transactions that succeeded, the oldest first: what they wrote, as a hash, and until when that is remembered.
const tokens = new Map()

const sorted = (_, value) =>
  value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value

function isRepeated(token, hash) {
  const before = tokens.get(token)
  if (!before || before.until <= performance.now()) return false
  if (before.hash !== hash) {
    throw refusal('IdempotentParameterMismatchException', {
      Message: 'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests'
    })
  }
  return true
}

function remember(token, hash) {
  const now = performance.now()
  tokens.delete(token)
  tokens.set(token, { hash, until: now + TOKEN_LIFE })
  for (const [oldest, { until }] of tokens) {
    if (until > now && tokens.size <= MAX_TOKENS) break
    tokens.delete(oldest)
  }
}

// All or nothing: every condition is checked before anything is written.
function transactWriteItems({ TransactItems, ClientRequestToken: token }) {
  const hash = token && createHash('sha256').update(JSON.stringify(TransactItems, sorted)).digest('base64')
  const parts = partsOf(TransactItems)
  if (token && isRepeated(token, hash)) return {}
  const places = parts.map(({ data }) => placeOf(data))
  if (new Set(places.map(({ id }) => id)).size < parts.length) {
    throw invalid('Transaction request cannot include multiple operations on one item')
  }
  const failed = parts.map(({ data }, i) => db.checkConditional(data, places[i].item))
  if (failed.some(Boolean)) {
    throw cancelled(parts.map(({ wanted }, i) =>
      failed[i] ? { Code: 'ConditionalCheckFailed', Message: CONDITION_FAILED, ...found(wanted, places[i].item) } : NONE))
  }
  store.atomically(() => {
    let size = 0
    for (const [i, { kind, data }] of parts.entries()) {
      if (kind === 'ConditionCheck') continue
      try {
        runAtOnce(ALONE[kind], data)
      } catch (error) {
        if (!isRefusal(error, 'ValidationException')) throw error
        throw cancelled(parts.map((_, at) => (at === i ? { Code: 'ValidationError', Message: error.body.message } : NONE)))
      }
      const item = places[i].rows.read(places[i].key)
      if (item) size += db.itemSize(item)
    }
    if (size > MAX_TRANSACTION) throw invalid('The aggregate size of the items in the transaction exceeds 4 MB')
  })
  if (token) remember(token, hash)
  return {}
}

function transactGetItems({ TransactItems }) {
  if (TransactItems.length > MAX_ACTIONS) throw invalid(`A transaction has at most ${MAX_ACTIONS} actions`)
  const results = TransactItems.map(({ Get }) => runAtOnce('getItem', checked('getItem', Get)))
  return { Responses: results.map(({ Item }) => (Item ? { Item } : {})) }
}

const OPERATIONS = {
  GetItem: read('getItem'),
  BatchGetItem: read('batchGetItem'),
  Query: read('query'),
  Scan: read('scan'),
  PutItem: write('putItem'),
  UpdateItem: write('updateItem'),
  DeleteItem: write('deleteItem'),
  BatchWriteItem: request => store.atomically(() => runAtOnce('batchWriteItem', checked('batchWriteItem', request))),
  TransactWriteItems: transactWriteItems,
  TransactGetItems: transactGetItems,
  UpdateTimeToLive: ({ TimeToLiveSpecification }) => ({ TimeToLiveSpecification })
}
const ITEM_WRITES = ['PutItem', 'UpdateItem', 'DeleteItem']
const WRITES = [...ITEM_WRITES, 'BatchWriteItem', 'TransactWriteItems']
const TRANSACTIONS = ['TransactWriteItems', 'TransactGetItems']

// One item of the transaction, whichever, is the reason.
function cancelledBy(reason, { TransactItems = [] }) {
  const at = Math.floor(faults.random() * TransactItems.length)
  return cancelled(TransactItems.map((_, i) => (i === at ? reason : NONE)))
}

function refuseByConflict(name, request) {
  if (!faults.strikes('conflict', name)) return
  if (TRANSACTIONS.includes(name)) throw cancelledBy({ Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' }, request)
  throw refusal('TransactionConflictException', { message: 'Transaction is ongoing for the item' })
}

function refuseByThrottle(name, request) {
  if (TRANSACTIONS.includes(name) && faults.random() < 0.5) {
    const Code = faults.random() < 0.5 ? 'ThrottlingError' : 'ProvisionedThroughputExceeded'
    throw cancelledBy({ Code, Message: 'Throughput exceeds the current capacity' }, request)
  }
  throw throttled()
}

// Of a throttled batch a random part is done, and the answer names the rest: [what to do, the rest], both as RequestItems.
function divided({ RequestItems }) {
  const taken = {}
  const rest = {}
  for (const [table, wanted] of Object.entries(RequestItems)) {
    const all = wanted.Keys ?? wanted
    const isTaken = all.map(() => faults.random() < 0.5)
    for (const [into, which] of [[taken, true], [rest, false]]) {
      const some = all.filter((_, i) => isTaken[i] === which)
      if (some.length > 0) into[table] = wanted.Keys ? { ...wanted, Keys: some } : some
    }
  }
  return [taken, rest]
}

async function runThrottledBatch(name, request) {
  const [taken, rest] = divided(request)
  if (Object.keys(taken).length === 0) throw throttled()
  const result = await OPERATIONS[name]({ ...request, RequestItems: taken })
  const unprocessed = name === 'BatchGetItem' ? 'UnprocessedKeys' : 'UnprocessedItems'
  for (const [table, more] of Object.entries(result[unprocessed])) {
    rest[table] = more.Keys ? { ...more, Keys: [...(rest[table]?.Keys ?? []), ...more.Keys] } : [...(rest[table] ?? []), ...more]
  }
  return { ...result, [unprocessed]: rest }
}

async function perform(name, body) {
  const request = JSON.parse(body)
  if (ITEM_WRITES.includes(name) || TRANSACTIONS.includes(name)) refuseByConflict(name, request)
  if (faults.strikes('throttle', name)) {
    if (name.startsWith('Batch') && faults.random() < 0.5) return runThrottledBatch(name, request)
    refuseByThrottle(name, request)
  }
  return OPERATIONS[name](request)
}

async function answer(name, body) {
  try {
    return [200, await perform(name, body)]
  } catch (error) {
    if (error.statusCode) return [error.statusCode, error.body]
    console.error(error)
    return [500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message: String(error) }]
  }
}

const bodyOf = request => new Promise((resolve, reject) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString())).on('error', reject)
})
const send = (response, status, result) => {
  const body = Buffer.from(JSON.stringify(result))
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0', 'Content-Length': body.length }).end(body)
}

async function serve(request, response) {
  if (request.url === '/__faults') return send(response, ...faults.answer(request.method, await bodyOf(request)))
  const [, name] = (request.headers['x-amz-target'] || '').split('.')
  const delay = faults.amount('delayMs')
  if (delay > 0) await new Promise(resolve => setTimeout(resolve, delay))
  if (faults.strikes('unavailable', name)) {
    await bodyOf(request)
    return send(response, ...Object.values(refusal('ServiceUnavailable', { message: 'The service is unavailable. Please try again.' }, 503)))
  }
  if (!Object.hasOwn(OPERATIONS, name)) return dynalite.emit('request', request, response)
  const [status, result] = await answer(name, await bodyOf(request))
  if (status === 200 && WRITES.includes(name) && faults.strikes('lost', name)) return request.socket.destroy()
  send(response, status, result)
}

const port = Number(process.argv[2])
if (!(port > 0)) {
  console.error('usage: node dynamodb.js PORT')
  process.exit(2)
}
// A caller that breaks its connection is no error of ours.
http.createServer((request, response) => serve(request, response).catch(() => response.destroy()))
  .listen(port, '127.0.0.1', () => console.log('ready'))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
