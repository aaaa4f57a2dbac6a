import { isStepCount, registerTelemetry, streamText, tool } from 'ai'
import { telemetry } from 'polyspan/ai-sdk'
import { z } from 'zod'
import { deskModel } from '../../../lib/model'

registerTelemetry(telemetry())

/** Asks the agent in Python, which knows about parcels. `fetch` takes the trace along. */
const askColleague = tool({
  description: 'Asks the colleague who can look up orders and parcels',
  inputSchema: z.object({ question: z.string() }),
  execute: async ({ question }) => {
    const reply = await fetch(`${process.env.COLLEAGUE_URL}/questions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ question }),
      cache: 'no-store',
    })
    if (!reply.ok) throw new Error(`the colleague answers ${reply.status}`)
    return (await reply.json()) as { answer: string }
  },
})

export async function POST(request: Request) {
  const { question } = (await request.json()) as { question: string }
  const answer = streamText({
    model: deskModel(),
    tools: { askColleague },
    stopWhen: isStepCount(4),
    prompt: question,
    abortSignal: request.signal,
    telemetry: { functionId: 'parcel desk' },
  })
  return answer.toTextStreamResponse()
}
