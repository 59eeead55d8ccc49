/** Bytes of a piece that is read ahead; and how many pieces there are, in hand or on their way. */
export const PIECE_BYTES = 1 << 19;
export const PIECES = 4;

/** What the thread is to read; then each message to it is the memory of a piece to fill. */
export interface ReadAheadTask {
  readonly path: string;
  /** Checks the chain, too. */
  readonly chain: boolean;
}

/** What the thread tells of each piece. */
export interface ReadPiece {
  /** The memory of the piece; none where it failed. It is sent, not shared: to copy from shared memory takes four times as long. */
  readonly memory?: ArrayBuffer;
  readonly bytes: number;
  /** The byte of the log up to which all is right, as far as the thread has looked. */
  readonly checkedTo: number;
  /** Why it could not be read; empty where it could. */
  readonly failed: string;
}
