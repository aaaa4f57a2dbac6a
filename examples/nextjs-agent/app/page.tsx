import { Ask } from './ask'

export default function Page() {
  return (
    <main>
      <h1>Parcel desk</h1>
      <p>An agent of this application answers, with the help of another one in Python.</p>
      <Ask question="Where is my order 1007, and could I still send it back?" />
    </main>
  )
}
