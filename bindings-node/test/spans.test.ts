// Spans by their type: the file follows the table, and what is typed arrives under its names.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as polyspan from 'polyspan'
import { agent, init, MemoryExporter, modelGeneration, type TypedSpan, tool } from 'polyspan'
import { type Json, vectors } from './vectors'

polyspan.setLogger(() => undefined)
const table: Json[] = vectors('semantics.json').types
const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

test('the file is what the table gives', async () => {
  const tools = join(__dirname, '..', 'tools', 'spans.mjs')
  const { rendered, MODULE } = (await import(tools)) as { rendered(): string; MODULE: string }
  assert.equal(readFileSync(MODULE, 'utf8'), rendered())
})

test('every type has its function', async () => {
  const exporter = new MemoryExporter()
  const engine = init('typed', { exporter })
  for (const { type } of table) {
    const record = (polyspan as unknown as Record<string, TypedSpan<object>>)[camel(type)]
    assert.ok(record, type)
    record(type, (span) => assert.ok(span.isRecording))
    record.start(`${type} by hand`).end()
  }
  await engine.flush()
  assert.deepEqual(
    exporter.take().map((span) => [span.name, span.type]),
    table.flatMap(({ type }) => [
      [type, type],
      [`${type} by hand`, type],
    ]),
  )
  await engine.shutdown()
})

test('attributes stand among the options', async () => {
  const exporter = new MemoryExporter()
  const engine = init('typed', { exporter })
  const result = await agent(
    'support',
    { agentId: 'a-1', sessionId: 's-42', input: 'question' },
    async () => {
      modelGeneration(
        'draft',
        { model: 'gpt-5', temperature: 0.2, usage: { inputTokens: 812 }, attributes: { own: 1 } },
        () => undefined,
      )
      const call = tool.start('search', { toolCallId: 'c1', attributes: [['more', true]] })
      call.end()
      return 'answer'
    },
  )
  assert.equal(result, 'answer')
  await engine.flush()
  const [generation, call, run] = exporter.take()
  assert.deepEqual(
    [generation?.type, generation?.attributes],
    [
      'model_generation',
      { 'session.id': 's-42', model: 'gpt-5', temperature: 0.2, usage: { inputTokens: 812 }, own: 1 },
    ],
  )
  assert.deepEqual(call?.attributes, { 'session.id': 's-42', toolCallId: 'c1', more: true })
  assert.deepEqual([run?.attributes, run?.input], [{ 'session.id': 's-42', agentId: 'a-1' }, 'question'])
  await engine.shutdown()
})
