// What the local DynamoDB and the local SQS do wrong on demand. POST /__faults with JSON sets all of it: what the body leaves out is 0. GET /__faults
// tells what is set, and how often each has happened since the start.
'use strict'

class Faults {
  #kinds
  #settings
  #counts
  #random
  #changed

  // kinds: what happens with a probability; amounts: other numbers; changed is told of new settings.
  constructor(kinds, amounts, changed = () => {}) {
    this.#kinds = kinds
    this.#changed = changed
    this.#settings = Object.fromEntries([...kinds, ...amounts].map(name => [name, 0]))
    this.#counts = Object.fromEntries(kinds.map(name => [name, 0]))
    this.#random = generator(1)
  }

  amount(name) { return this.#settings[name] }
  random() { return this.#random() }

  // Whether this happens now, and to this operation. It counts.
  strikes(kind, operation) {
    const probability = this.#settings[kind]
    if (!(probability > 0) || (this.#settings.operations && !this.#settings.operations.includes(operation))) return false
    const does = this.#random() < probability
    if (does) this.#counts[kind]++
    return does
  }

  // Answers a request to /__faults: [status, body].
  answer(method, body) {
    if (method === 'POST') {
      const wrong = this.#set(body)
      if (wrong) return [400, { error: wrong }]
    }
    return [200, { ...this.#settings, counts: this.#counts }]
  }

  #set(body) {
    let wanted
    try {
      wanted = JSON.parse(body)
    } catch {
      return 'no JSON'
    }
    const { seed, operations, ...numbers } = wanted
    const known = Object.keys(this.#settings).filter(name => name !== 'operations')
    for (const [name, value] of Object.entries(numbers)) {
      if (!known.includes(name)) return `${name} is none of ${known.join(', ')}, operations, seed`
      if (!(value >= 0) || (this.#kinds.includes(name) && value > 1)) return `${name} cannot be ${value}`
    }
    if (operations != null && !Array.isArray(operations)) return 'operations is no list'
    this.#settings = { ...Object.fromEntries(known.map(name => [name, 0])), ...numbers, ...(operations ? { operations } : {}) }
    if (seed != null) this.#random = generator(seed)
    this.#changed(this)
    return null
  }
}

// Mulberry32: the same numbers from the same seed.
function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

module.exports = { Faults }
