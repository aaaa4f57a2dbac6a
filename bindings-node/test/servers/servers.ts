// Real Redis, RabbitMQ, Kafka and PostgreSQL for `stock.test.ts`: each in a process group of its own and a folder of its
// own, on loopback, ended with everything it has started.
//
// `cargo xtask test servers` has put their programs on the machine; POLYSPAN_KAFKA is the folder of Kafka's jars.

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server is killed after so many seconds, whatever becomes of the test. */
const BOUND = 300
/** Until a server that was asked to end is killed, in milliseconds. */
const PATIENCE = 10_000
/** Somebody else may take a port between the choice and the start. */
const ATTEMPTS = 5

export interface Server {
  port: number
  close(): Promise<void>
}

interface Program {
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  /** Who runs it, where it does not want to be run by root. */
  user?: { uid: number; gid: number } | undefined
  /** What it prints when it can be used, or the port that can be connected to then. */
  ready: RegExp | number
  /** Asks it to end. */
  signal?: NodeJS.Signals
}

/** A program whose process group ends with the test, or after the bound. */
class Running {
  private readonly child: ChildProcess
  private readonly ended: Promise<void>
  printed = ''

  constructor(private readonly program: Program) {
    const { command, args, env, user } = program
    this.child = spawn('timeout', ['--signal=KILL', String(BOUND), command, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...user,
    })
    this.ended = new Promise((resolve) => {
      this.child.once('exit', () => resolve())
      this.child.once('error', (error) => {
        this.printed += String(error)
        resolve()
      })
    })
  }

  /** Whether it can be used, before it ends. */
  ready(): Promise<boolean> {
    const { ready } = this.program
    return new Promise((resolve) => {
      const read = (part: Buffer) => {
        this.printed += part
        if (typeof ready !== 'number' && ready.test(this.printed)) resolve(true)
      }
      this.child.stdout?.on('data', read)
      this.child.stderr?.on('data', read)
      let over = false
      this.ended.then(() => {
        over = true
        resolve(false)
      })
      const probe = (port: number) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy()
          resolve(true)
        })
        socket.on('error', () => !over && setTimeout(probe, 20, port))
      }
      if (typeof ready === 'number') probe(ready)
    })
  }

  async close(): Promise<void> {
    this.signal(this.program.signal ?? 'SIGTERM')
    const impatient = setTimeout(() => this.signal('SIGKILL'), PATIENCE)
    await this.ended
    clearTimeout(impatient)
    // What it has left behind.
    this.signal('SIGKILL')
  }

  private signal(name: NodeJS.Signals): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, name)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
    }
  }
}

/** So many ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Starts the programs that `plan` makes of a new folder and ports, one after the other; the first port is the server's. */
async function started(ports: number, plan: (folder: string, ports: number[]) => Program[]): Promise<Server> {
  let said = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'polyspan-server-'))
    const running: Running[] = []
    const close = async () => {
      for (const each of running.reverse()) await each.close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
    const chosen = await freePorts(ports)
    let ready = true
    for (const program of plan(folder, chosen)) {
      const next = new Running(program)
      running.push(next)
      ready = await next.ready()
      if (!ready) {
        said = next.printed
        break
      }
    }
    if (ready) return { port: chosen[0] as number, close }
    await close()
  }
  throw new Error(`the server does not start: ${said}`)
}

export function redis(): Promise<Server> {
  return started(1, (folder, [port]) => [
    {
      command: 'redis-server',
      args: ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', ''],
      ready: /Ready to accept connections/,
    },
  ])
}

/** With an epmd of its own: the one that it would start by itself stays behind. */
export function rabbitmq(): Promise<Server> {
  return started(3, (folder, [port, dist, epmd]) => {
    const env = {
      HOME: folder,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: `${epmd}`,
      RABBITMQ_NODENAME: `polyspan${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${dist}`,
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_PLUGINS_EXPAND_DIR: join(folder, 'expanded'),
      RABBITMQ_GENERATED_CONFIG_DIR: join(folder, 'config'),
      RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    }
    return [
      { command: 'epmd', args: [], env, ready: epmd as number },
      {
        command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
        args: [],
        env,
        ready: /Server startup complete|completed with \d+ plugins/,
      },
    ]
  })
}

/** One process that is broker and controller. */
export function kafka(): Promise<Server> {
  const jars = join(process.env.POLYSPAN_KAFKA ?? '', '*')
  const java = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', jars]
  return started(2, (folder, [port, controller]) => {
    const properties = {
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'controller.listener.names': 'CONTROLLER',
      'log.dirs': join(folder, 'data'),
      'num.partitions': 1,
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
    }
    const file = join(folder, 'server.properties')
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(file, lines.join(''))
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'cG9seXNwYW4tdGVzdHMtMQ', '-c', file]
    execFileSync('java', [...java, ...format], { stdio: 'ignore', timeout: BOUND * 1000 })
    return [{ command: 'java', args: [...java, 'kafka.Kafka', file], ready: /Kafka Server started/ }]
  })
}

/** PostgreSQL does not run as root: there it runs as the user that its package has made. */
export function postgresql(): Promise<Server> {
  const root = process.getuid?.() === 0
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const user = root ? { uid: id('-u'), gid: id('-g') } : undefined
  const programs = join('/usr/lib/postgresql', newest('/usr/lib/postgresql'), 'bin')
  return started(1, (folder, [port]) => {
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (user !== undefined) for (const each of [folder, data]) chownSync(each, user.uid, user.gid)
    const init = ['--pgdata', data, '--username', 'app', '--auth', 'trust', '--no-sync', '--locale', 'C']
    execFileSync(join(programs, 'initdb'), init, { stdio: 'ignore', timeout: BOUND * 1000, ...user })
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
    return [
      {
        command: join(programs, 'postgres'),
        args: ['-D', data, '-p', `${port}`, ...settings.flatMap((each) => ['-c', each])],
        user,
        ready: /database system is ready to accept connections/,
        signal: 'SIGINT',
      },
    ]
  })
}

function newest(folder: string): string {
  assert.ok(existsSync(folder), `PostgreSQL is not installed: there is no ${folder}`)
  const versions = readdirSync(folder).filter((each) => /^\d+$/.test(each))
  return versions.sort((a, b) => Number(b) - Number(a))[0] ?? ''
}
