import { pageTerms } from 'polyspan/next'
import { Polyspan } from 'polyspan/react'
import type { ReactNode } from 'react'
import './style.css'

export const metadata = { title: 'Parcel desk' }
// What pages are told is the engine's, which runs when they are asked for and not when they are built.
export const dynamic = 'force-dynamic'

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Polyspan terms={pageTerms()} />
        {children}
      </body>
    </html>
  )
}
