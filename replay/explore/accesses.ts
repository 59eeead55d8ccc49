/** What a step did to a location: two steps depend on each other where they share one and not both read it. */
export const AccessKind = { read: 0, write: 1, acquire: 2, release: 3 } as const;

/**
 * The accesses of one step: locations, which are 32-bit numbers of the program's own, and what was done there. A lock is
 * one location; taking it and giving it back both count as stores, and only taking it can wait. One object serves all
 * steps: parallel arrays that are overwritten.
 */
export class Accesses {
  count = 0;
  locations = new Int32Array(64);
  /** By access: one of `AccessKind`. */
  kinds = new Uint8Array(64);

  clear(): void {
    this.count = 0;
  }

  /** Adds an access; the same one twice is harmless. */
  note(kind: number, location: number): void {
    if (this.count === this.locations.length) this.#grow();
    this.locations[this.count] = location;
    this.kinds[this.count++] = kind;
  }

  #grow(): void {
    const locations = new Int32Array(2 * this.count);
    locations.set(this.locations);
    this.locations = locations;
    const kinds = new Uint8Array(2 * this.count);
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}
