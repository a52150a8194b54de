// What holds the rows of deploy/local/dynamodb.js, in place of dynalite's own store: sorted trees that never change in place. A write makes a new
// tree that shares what it can with the old one. So a transaction is undone by putting the old trees back, and a late index is an old tree.
// Every call answers before it returns, so that an operation is done within one turn of the event loop and none comes between.
'use strict'
const { Readable } = require('stream')
const createTree = require('functional-red-black-tree')
const { Lock } = require('lock')

class Rows {
  lock = Lock()
  #store
  #lagging
  #tree = createTree()
  // Earlier trees, each with the time until which it was the current one; kept only as far back as a late read goes.
  #past = []

  constructor(store, lagging) {
    this.#store = store
    this.#lagging = lagging
  }

  read(key) { return this.#tree.get(key) }
  get(key, done) { done(null, this.read(key)) }
  put(key, value, done) {
    const found = this.#tree.find(key)
    this.#become(found.valid ? found.update(value) : this.#tree.insert(key, value))
    done(null)
  }
  del(key, done) {
    this.#become(this.#tree.remove(key))
    done(null)
  }
  batch(operations, done) {
    for (const { type, key, value } of operations) this[type](key, value ?? (() => {}), () => {})
    done(null)
  }
  createKeyStream(range) { return this.#stream(range, iterator => iterator.key) }
  createValueStream(range) { return this.#stream(range, iterator => iterator.value) }

  #become(tree) {
    const { lateMs, undo } = this.#store
    if (undo && !undo.has(this)) {
      const before = this.#tree
      undo.set(this, () => { this.#tree = before })
    }
    if (this.#lagging && lateMs > 0) {
      const now = performance.now()
      while (this.#past.length > 0 && this.#past[0].until <= now - lateMs) this.#past.shift()
      this.#past.push({ until: now, tree: this.#tree })
    }
    this.#tree = tree
  }

  #visible() {
    const { lateMs } = this.#store
    if (!this.#lagging || !(lateMs > 0)) return this.#tree
    const at = performance.now() - lateMs
    return (this.#past.find(({ until }) => until > at) ?? { tree: this.#tree }).tree
  }

  #stream({ gt, gte, lt, lte, limit = -1, reverse = false } = {}, pick) {
    const tree = this.#visible()
    const [iterator, ends] = reverse
      ? [lte != null ? tree.le(lte) : lt != null ? tree.lt(lt) : tree.end, key => (gte != null && key < gte) || (gt != null && key <= gt)]
      : [gte != null ? tree.ge(gte) : gt != null ? tree.gt(gt) : tree.begin, key => (lte != null && key > lte) || (lt != null && key >= lt)]
    let left = limit < 0 ? Infinity : limit
    return new Readable({
      objectMode: true,
      read() {
        while (left-- > 0 && iterator.valid && !ends(iterator.key)) {
          const row = pick(iterator)
          reverse ? iterator.prev() : iterator.next()
          if (!this.push(row)) return
        }
        this.push(null)
      }
    })
  }
}

// A row of an index has each attribute of its projection, and dynalite gives those that the item lacks as undefined.
class IndexRows extends Rows {
  put(key, value, done) {
    for (const attribute in value) if (value[attribute] === undefined) delete value[attribute]
    super.put(key, value, done)
  }
}

// All that dynalite's actions ask of a store, and two things of our own: lateMs, by which its global indexes lag, and atomically.
class Memory {
  lateMs = 0
  undo = null
  #rows = new Map()

  constructor(options) {
    this.options = { maxItemSize: 400 * 1024, ...options }
    this.tableDb = this.#of('tables', () => new Rows(this, false))
    this.tableDb.awsAccountId = '000000000000'
    this.tableDb.awsRegion = process.env.AWS_REGION || 'us-east-1'
  }

  getItemDb(table) { return this.#of(`items ${table}`, () => new Rows(this, false)) }
  deleteItemDb(table, done) { this.#drop(`items ${table}`, done) }
  getIndexDb(kind, table, index) {
    const isGlobal = kind.toLowerCase() === 'global'
    return this.#of(`${isGlobal ? 'global' : 'local'} ${table} ${index}`, () => new IndexRows(this, isGlobal))
  }
  deleteIndexDb(kind, table, index, done) { this.#drop(`${kind.toLowerCase()} ${table} ${index}`, done) }
  getTagDb(table) { return this.#of(`tags ${table}`, () => new Rows(this, false)) }
  deleteTagDb(table, done) { this.#drop(`tags ${table}`, done) }

  // Called (name, done), or with false for tables that are just being made or deleted as well.
  getTable(name, readyOnly, done = readyOnly) {
    const table = this.tableDb.read(name)
    if (table && !(readyOnly && ['CREATING', 'DELETING'].includes(table.TableStatus))) return done(null, table)
    done(Object.assign(new Error('no such table'), {
      name: 'NotFoundError',
      statusCode: 400,
      body: {
        __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
        message: `Requested resource not found${readyOnly ? '' : `: Table: ${name} not found`}`
      }
    }))
  }

  // Runs work, which must not wait for anything; if it throws, all that it wrote is undone.
  atomically(work) {
    this.undo = new Map()
    try {
      return work()
    } catch (error) {
      for (const back of this.undo.values()) back()
      throw error
    } finally {
      this.undo = null
    }
  }

  #of(name, make) {
    let rows = this.#rows.get(name)
    if (!rows) this.#rows.set(name, (rows = make()))
    return rows
  }

  #drop(name, done) {
    this.#rows.delete(name)
    done(null)
  }
}

module.exports = options => new Memory(options)
