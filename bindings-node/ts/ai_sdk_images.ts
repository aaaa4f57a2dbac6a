// Image models of the AI SDK, for `ai_sdk.ts`: the SDK tells its telemetry nothing of `generateImage`, so that a
// middleware of the model records the call.

import { record, usageOf } from './ai_sdk_events'
import { modelGeneration } from './index'

/** What is used of the call's parameters. */
interface ImageCall {
  readonly prompt?: string | undefined
  readonly n?: number
  readonly size?: string | undefined
  readonly aspectRatio?: string | undefined
  readonly seed?: number | undefined
}

/** What `imageMiddleware()` returns: a middleware for the SDK's `wrapImageModel`. */
export interface ImageMiddleware {
  readonly specificationVersion: 'v4'
  wrapGenerate<T>(options: {
    doGenerate: () => PromiseLike<T>
    params: ImageCall
    model: { readonly modelId: string; readonly provider: string }
  }): Promise<T>
}

/**
 * Records each call of an image model as a `model_generation`, called by the model: the prompt, how many images were
 * asked for, and of each one that came its size in bytes. The images themselves are not recorded.
 */
export function imageMiddleware(): ImageMiddleware {
  return {
    specificationVersion: 'v4',
    wrapGenerate: ({ doGenerate, params, model }) =>
      modelGeneration(
        model.modelId,
        {
          model: model.modelId,
          provider: model.provider,
          outputType: 'image',
          choiceCount: params.n,
          seed: params.seed,
          metadata: defined({ size: params.size, aspectRatio: params.aspectRatio }),
          input: params.prompt,
        },
        async (call) => {
          const result = await doGenerate()
          const answer = record(result)
          const answered = record(answer?.response)?.modelId
          call.set({
            responseModel: typeof answered === 'string' ? answered : undefined,
            usage: usageOf(answer?.usage),
          })
          const images = Array.isArray(answer?.images) ? answer.images : []
          call.update({ output: images.map((image) => ({ type: 'image', byteLength: byteLength(image) })) })
          return result
        },
      ),
  }
}

/** Of bytes, or of their base64. */
function byteLength(image: unknown): number | undefined {
  if (image instanceof Uint8Array) return image.byteLength
  if (typeof image !== 'string') return undefined
  return Math.floor((image.replace(/=+$/, '').length * 3) / 4)
}

function defined(given: Record<string, string | undefined>): Record<string, string> | undefined {
  const known = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return known.length === 0 ? undefined : Object.fromEntries(known)
}
