import type { Random } from '../explore/random.js';

/** So near to 1 the antiderivative is that of 1 / x. */
const NEARLY_ONE = 1e-6;

/**
 * Ranks from 0 to n - 1, rank k as often as 1 / (k + 1)^theta: by rejection-inversion (Hoermann, Derflinger 1996: "Rejection-
 * inversion to generate variates from monotone discrete distributions"), in constant time and without a table.
 *
 * H is an antiderivative of h(x) = x^-theta. A uniform u of (H(3/2) - h(1), H(n + 1/2)] falls to x = H^-1(u), and k, which
 * is x rounded, is taken where u lies in the last h(k) of its cell:
 *
 *     H(k - 1/2) ------ rejected ------ H(k + 1/2) - h(k) ------ h(k) wide: taken ------ H(k + 1/2)
 *
 * The rejected part is small, for h is convex; and what is right of x >= k - s is taken without a look.
 */
export class Zipf {
  readonly #random: Random;
  readonly #n: number;
  readonly #theta: number;
  /** 1 - theta, 0 where it is nearly that. */
  readonly #power: number;
  /** 1 / power. */
  readonly #exponent: number;
  readonly #low: number;
  readonly #high: number;
  readonly #s: number;

  /** @param n ranks, at least 1 */
  constructor(random: Random, n: number, theta: number) {
    this.#random = random;
    this.#n = n;
    this.#theta = theta;
    this.#power = Math.abs(1 - theta) < NEARLY_ONE ? 0 : 1 - theta;
    this.#exponent = 1 / this.#power;
    this.#low = this.#integral(1.5) - 1;
    this.#high = this.#integral(n + 0.5);
    this.#s = 2 - this.#inverse(this.#integral(2.5) - 2 ** -theta);
  }

  /** The next rank. */
  next(): number {
    for (;;) {
      const u = this.#high - this.#random.unit() * (this.#high - this.#low);
      const x = this.#inverse(u);
      const k = Math.min(Math.max(Math.floor(x + 0.5), 1), this.#n);
      if (k - x <= this.#s || u >= this.#integral(k + 0.5) - k ** -this.#theta) return k - 1;
    }
  }

  #integral(x: number): number {
    const power = this.#power;
    return power === 0 ? Math.log(x) : (x ** power - 1) / power;
  }

  #inverse(u: number): number {
    const power = this.#power;
    // A power by its logarithm takes a fraction of the time of `**`, and is as exact as ranks need.
    return Math.exp(power === 0 ? u : Math.log(1 + u * power) * this.#exponent);
  }
}
