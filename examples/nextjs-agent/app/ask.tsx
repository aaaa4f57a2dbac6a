'use client'

import { flush, span } from 'polyspan/browser'
import { useEffect, useState } from 'react'

/** A question and, a piece at a time, its answer. The trace begins here. */
export function Ask({ question }: { question: string }) {
  const [answer, setAnswer] = useState('')
  const [asked, setAsked] = useState(false)
  const [hours, setHours] = useState('')

  useEffect(() => {
    fetch('/api/hours')
      .then((reply) => reply.json())
      .then(({ open }: { open: string }) => setHours(open), console.warn)
  }, [])

  function ask() {
    setAsked(true)
    setAnswer('')
    span('ask the desk', { attributes: { 'question.length': question.length } }, async (asking) => {
      const reply = await fetch('/api/agent', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ question }),
      })
      if (!reply.ok || reply.body === null) throw new Error(`the desk answers ${reply.status}`)
      let text = ''
      for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
        if (text === '') asking.event('first words')
        text += piece
        setAnswer(text)
      }
      asking.set('answer.length', text.length)
    })
      .catch((error) => setAnswer(String(error)))
      .finally(() => void flush())
  }

  return (
    <section>
      <blockquote>{question}</blockquote>
      <button id="ask" type="button" onClick={ask} disabled={asked && answer === ''}>
        Ask
      </button>
      <output id="answer">{answer}</output>
      <footer id="hours">{hours}</footer>
    </section>
  )
}
