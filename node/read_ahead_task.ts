/** Bytes of a piece that is read ahead; and how many pieces there is room for. */
export const PIECE_BYTES = 1 << 20;
export const PIECES = 4;

/** What the thread is to read. */
export interface ReadAheadTask {
  readonly path: string;
  /** Checks the chain, too. */
  readonly chain: boolean;
  /** `PIECES` pieces of `PIECE_BYTES`, used in turns. */
  readonly pieces: SharedArrayBuffer;
  /** One number: pieces that are done with, so that their memory is free. */
  readonly done: Int32Array;
}

/** What the thread tells of each piece. */
export interface ReadPiece {
  /** 0 at the end. */
  readonly bytes: number;
  /** The byte of the log up to which all is right, as far as the thread has looked. */
  readonly checkedTo: number;
  /** Why it could not be read; empty where it could. */
  readonly failed: string;
}
