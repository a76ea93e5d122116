// What a person sees while phases run. On a terminal the running phase is one live line that is replaced by its result;
// elsewhere each phase is one plain line, so that a log stays readable. Colours only on a terminal, and never with NO_COLOR
// (https://no-color.org). listr2 was tried: its renderers own the screen, so a prompt or a table in between is lost.
//
//   [certs] Writing certificates … 0.12 s

export interface Reporter {
  started(phase: PhaseTitle): void;
  /** What the running phase is doing or waiting for. */
  progress(phase: PhaseTitle, line: string): void;
  done(phase: PhaseTitle, ms: number): void;
  skipped(phase: PhaseTitle, reason: string): void;
  failed(phase: PhaseTitle, ms: number): void;
  /** A line that stays. */
  say(line: string): void;
}

export interface PhaseTitle {
  readonly name: string;
  readonly title: string;
}

export interface ReporterOptions {
  readonly write?: (text: string) => void;
  /** Default: whether standard output is a terminal. */
  readonly terminal?: boolean;
  /** Default: on a terminal without NO_COLOR. */
  readonly colours?: boolean;
  /** Columns; a live line is cut to fit, because one that wraps cannot be replaced. Default 80. */
  readonly width?: number;
}

const eraseLine = '\r\u001b[2K';

export function createReporter(options: ReporterOptions = {}): Reporter {
  const { write = (text) => void process.stdout.write(text), terminal = process.stdout.isTTY === true } = options;
  const colours = options.colours ?? (terminal && (process.env['NO_COLOR'] ?? '') === '');
  const width = options.width ?? process.stdout.columns ?? 80;
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const head = ({ name, title }: PhaseTitle): string => `${paint(2, `[${name}]`)} ${title}`;
  const plainHead = ({ name, title }: PhaseTitle): string => `[${name}] ${title}`;
  let isLive = false;
  let lastProgress = '';

  const live = (text: string): void => {
    write(`${eraseLine}${text.length < width ? text : `${text.slice(0, width - 2)}…`}`);
    isLive = true;
  };
  const line = (text: string): void => {
    write(`${isLive ? eraseLine : ''}${text}\n`);
    isLive = false;
  };

  return {
    started(phase) {
      lastProgress = '';
      if (terminal) live(`${plainHead(phase)} …`);
    },
    progress(phase, text) {
      if (text === lastProgress) return;
      lastProgress = text;
      if (terminal) live(`${plainHead(phase)} … ${text}`);
      else line(`[${phase.name}] ${text}`);
    },
    done: (phase, ms) => line(`${head(phase)} … ${paint(32, seconds(ms))}`),
    skipped: (phase, reason) => line(`${head(phase)} … ${paint(33, `skipped: ${reason}`)}`),
    failed: (phase, ms) => line(`${head(phase)} … ${paint(31, `failed after ${seconds(ms)}`)}`),
    say: line,
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
