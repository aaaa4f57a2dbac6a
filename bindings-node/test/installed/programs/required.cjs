// The same package by `require`, and `import` of it in one program: they share what is current.

const assert = require('node:assert/strict')
const { init, span } = require('polyspan')

init()
span('required', async (outer) => {
  const { currentSpan, span: imported } = await import('polyspan')
  assert.equal(currentSpan(), outer)
  imported('imported', () => undefined)
  console.log('recorded 2 true')
})
