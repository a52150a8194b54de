// SQS for tests and local runs, in memory: the queues and actions of fauxqs behind a front of our own. The front listens on 127.0.0.1 alone, needs no
// web framework (nor the Node.js 20 that this asks for), and does what the actions lack. Nothing outlives the process. Never for production: whoever
// reaches the port may do everything.
//
// Unlike the real one: a FIFO queue gives one message of a group at a time, and deduplicates by queue, never by group; a standard queue is first in,
// first out, and not fair to groups; no signature is checked; nothing moves back from the dead letters (StartMessageMoveTask).
//
//   NODE_PATH=FOLDER/node_modules node sqs.js PORT      listens on 127.0.0.1 and then prints "ready"
//
// POST /__faults takes JSON: for each kind a probability from 0 to 1, and
//   twice         a message of a standard queue that is received can be received once more, at once
//   lost          what was asked for is done, and the connection breaks without an answer
//   unavailable   503, nothing done
//   delayMs, operations, seed: as dynamodb.js takes them
'use strict'
const http = require('http')
const path = require('path')
const { pathToFileURL } = require('url')
const { Faults } = require('./faults.js')

const ACTIONS = [
  'CreateQueue', 'DeleteQueue', 'GetQueueUrl', 'ListQueues', 'GetQueueAttributes', 'SetQueueAttributes', 'PurgeQueue',
  'SendMessage', 'SendMessageBatch', 'ReceiveMessage', 'DeleteMessage', 'DeleteMessageBatch',
  'ChangeMessageVisibility', 'ChangeMessageVisibilityBatch', 'TagQueue', 'UntagQueue', 'ListQueueTags'
]
const MOST_WAITED = 20

const faults = new Faults(['twice', 'lost', 'unavailable'], ['delayMs'])

// Its modules are no part of what fauxqs exports, hence by path.
const load = module => import(pathToFileURL(path.join(process.env.NODE_PATH, 'fauxqs', 'dist', module)))

// A standard queue takes a group for its fairness and hands it out with the message; fauxqs drops it. Nobody has received the message yet: those who
// wait for one go on after this turn of the event loop.
function keepGroup(queue, messageId, group) {
  if (!group || !queue || queue.isFifo()) return
  const isIt = message => message.messageId === messageId
  const message = queue.messages.findLast(isIt) ?? queue.delayedMessages.findLast(isIt)
  if (message) message.messageGroupId = group
}

function receiveTwice(queue, messages = []) {
  if (queue.isFifo()) return
  for (const { ReceiptHandle } of messages) {
    if (faults.strikes('twice', 'ReceiveMessage')) queue.enqueue(queue.inflightMessages.get(ReceiptHandle).message)
  }
}

// What goes around an action: (run, body, store, connection).
const AROUND = {
  SendMessage(run, body, store) {
    const result = run(body)
    keepGroup(store.getQueue(body.QueueUrl), result.MessageId, body.MessageGroupId)
    return result
  },
  SendMessageBatch(run, body, store) {
    const result = run(body)
    const groups = new Map(body.Entries.map(({ Id, MessageGroupId }) => [Id, MessageGroupId]))
    for (const { Id, MessageId } of result.Successful) keepGroup(store.getQueue(body.QueueUrl), MessageId, groups.get(Id))
    return result
  },
  GetQueueAttributes(run, body, store) {
    // What has become visible shall be counted as such.
    store.getQueue(body.QueueUrl)?.processTimers()
    return run(body)
  },
  // Waits until there is something for this caller, which another may have taken before it; hands nothing to a caller who has gone.
  async ReceiveMessage(run, body, store, connection) {
    const queue = store.getQueue(body.QueueUrl)
    const seconds = Number(body.WaitTimeSeconds ?? queue?.attributes.ReceiveMessageWaitTimeSeconds ?? 0)
    if (!queue || !(seconds > 0 && seconds <= MOST_WAITED)) return once()
    const until = performance.now() + seconds * 1000
    for (;;) {
      const result = await once({ ...body, WaitTimeSeconds: 0 })
      const left = until - performance.now()
      if (result.Messages || left <= 0) return result
      await queue.waitForMessages(left / 1000)
      if (connection.destroyed) return {}
    }

    async function once(asked = body) {
      const result = await run(asked)
      if (queue) receiveTwice(queue, result.Messages)
      return result
    }
  }
}

const bodyOf = request => new Promise((resolve, reject) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString())).on('error', reject)
})
const send = (response, status, result, headers = {}) => {
  const body = Buffer.from(JSON.stringify(result))
  response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0', 'Content-Length': body.length, ...headers }).end(body)
}

async function main(port) {
  const { SqsStore } = await load('sqs/sqsStore.js')
  const { SqsRouter } = await load('sqs/sqsRouter.js')
  const store = new SqsStore()
  // Then a queue's URL has the host that its maker called.
  store.host = ''
  const router = new SqsRouter(store)
  for (const name of ACTIONS) {
    const file = name[0].toLowerCase() + name.slice(1)
    const { [file]: action } = await load(`sqs/actions/${file}.js`)
    const around = AROUND[name] ?? ((run, body) => run(body))
    router.register(name, (body, _, request) => around(asked => action(asked, store, request), body, store, request.socket))
  }

  async function serve(request, response) {
    const body = await bodyOf(request)
    if (request.url === '/__faults') return send(response, ...faults.answer(request.method, body))
    const name = (request.headers['x-amz-target'] || '').replace('AmazonSQS.', '')
    const delay = faults.amount('delayMs')
    if (delay > 0) await new Promise(resolve => setTimeout(resolve, delay))
    if (faults.strikes('unavailable', name)) return send(response, 503, { __type: 'com.amazonaws.sqs#ServiceUnavailable', message: 'Try again.' })
    const reply = { code: 200, headers: {}, status(code) { this.code = code }, header(key, value) { this.headers[key] = value } }
    request.body = JSON.parse(body)
    const result = await router.handle(request, reply)
    if (reply.code === 200 && faults.strikes('lost', name)) return request.socket.destroy()
    send(response, reply.code, result, reply.headers)
  }

  http.createServer((request, response) => serve(request, response).catch(error => {
    // A caller that breaks its connection is no error of ours.
    if (request.socket.destroyed) return
    console.error(error)
    send(response, 500, { __type: 'com.amazonaws.sqs#InternalFailure', message: String(error) })
  })).listen(port, '127.0.0.1', () => console.log('ready'))
}

const port = Number(process.argv[2])
if (!(port > 0) || !process.env.NODE_PATH) {
  console.error('usage: NODE_PATH=FOLDER/node_modules node sqs.js PORT')
  process.exit(2)
}
main(port)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
