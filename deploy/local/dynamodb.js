// DynamoDB for tests and local runs, in memory: dynalite, and what the cluster's membership needs beyond it, which is transactions over items and
// UpdateTimeToLive. Nothing outlives the process. Never for production: whoever reaches the port may do everything.
//
//   NODE_PATH=FOLDER/node_modules node dynamodb.js PORT      listens on 127.0.0.1 and then prints "ready"
'use strict'
const http = require('http')
const db = require('dynalite/db')
const validations = require('dynalite/validations')

// dynalite keeps its store to itself; it is made by this function, once.
let store
const { create } = db
db.create = options => (store = create(options))
const dynalite = require('dynalite')({ createTableMs: 10, updateTableMs: 10, deleteTableMs: 10 })

const promised = call => new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))))
const refusal = (type, members) => ({ statusCode: 400, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, ...members } })

// A request as dynalite's own front would hand it on: checked, its expressions parsed.
function checked(operation, request) {
  const { types, custom } = require(`dynalite/validations/${operation}`)
  const data = validations.checkTypes(request, types)
  validations.checkValidations(data, types, custom, store)
  return data
}

const run = (operation, data) => promised(done => require(`dynalite/actions/${operation}`)(store, data, done))

// What each part of a transaction is outside of one; a ConditionCheck reads like a conditional delete, and is never run.
const ALONE = { Put: 'putItem', Update: 'updateItem', Delete: 'deleteItem', ConditionCheck: 'deleteItem' }

async function itemOf({ kind, data }) {
  const table = await promised(done => store.getTable(data.TableName, done))
  const key = db.createKey(kind === 'Put' ? data.Item : data.Key, table)
  const id = `${data.TableName} ${key}`
  try {
    return { id, item: await promised(done => store.getItemDb(data.TableName).get(key, done)) }
  } catch (error) {
    if (error.name === 'NotFoundError') return { id }
    throw error
  }
}

// All or nothing: every condition is checked before anything is written, and no other write comes between.
async function transactWriteItems({ TransactItems }) {
  const parts = TransactItems.map(part => {
    const [kind] = Object.keys(part)
    return { kind, data: checked(ALONE[kind], part[kind]) }
  })
  const found = await Promise.all(parts.map(itemOf))
  if (new Set(found.map(({ id }) => id)).size < parts.length) {
    throw refusal('ValidationException', { message: 'Transaction request cannot include multiple operations on one item' })
  }
  const failed = parts.map(({ data }, i) => db.checkConditional(data, found[i].item))
  if (failed.some(Boolean)) {
    const CancellationReasons = failed.map(error =>
      error ? { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' } : { Code: 'None' })
    const codes = CancellationReasons.map(({ Code }) => Code).join(', ')
    throw refusal('TransactionCanceledException', {
      Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`, CancellationReasons
    })
  }
  for (const [i, { kind, data }] of parts.entries()) {
    if (kind === 'ConditionCheck') continue
    await run(ALONE[kind], data).catch(error => {
      if (i === 0) throw error
      console.error('half a transaction was written, and this emulator cannot take it back:', error)
      process.exit(1)
    })
  }
  return {}
}

async function transactGetItems({ TransactItems }) {
  const results = await Promise.all(TransactItems.map(({ Get }) => run('getItem', checked('getItem', Get))))
  return { Responses: results.map(({ Item }) => (Item ? { Item } : {})) }
}

const single = operation => request => run(operation, checked(operation, request))

// Whatever writes or needs one moment's view runs here, one request at a time; the rest is dynalite's.
const EXCLUSIVE = {
  PutItem: single('putItem'),
  UpdateItem: single('updateItem'),
  DeleteItem: single('deleteItem'),
  BatchWriteItem: single('batchWriteItem'),
  TransactWriteItems: transactWriteItems,
  TransactGetItems: transactGetItems,
  UpdateTimeToLive: async ({ TimeToLiveSpecification }) => ({ TimeToLiveSpecification })
}
let last = Promise.resolve()

async function answer(operation, body) {
  const turn = last.then(() => operation(JSON.parse(body)))
  last = turn.catch(() => {})
  try {
    return [200, await turn]
  } catch (error) {
    if (error.statusCode) return [error.statusCode, error.body]
    console.error(error)
    return [500, { __type: 'InternalServerError', message: String(error) }]
  }
}

const port = Number(process.argv[2])
if (!(port > 0)) {
  console.error('usage: node dynamodb.js PORT')
  process.exit(2)
}
http.createServer((request, response) => {
  const [, name] = (request.headers['x-amz-target'] || '').split('.')
  if (!Object.hasOwn(EXCLUSIVE, name)) {
    dynalite.emit('request', request, response)
    return
  }
  const chunks = []
  request.on('data', chunk => chunks.push(chunk)).on('end', async () => {
    const [status, result] = await answer(EXCLUSIVE[name], Buffer.concat(chunks).toString())
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(JSON.stringify(result))
  })
}).listen(port, '127.0.0.1', () => console.log('ready'))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
