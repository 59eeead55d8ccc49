import { describe, expect, it } from 'vitest';
import { eventsDoc, KINDS, NAMES } from '../../events/index.js';

describe('eventsDoc', () => {
  it('is docs/events.md', async () => {
    await expect(eventsDoc()).toMatchFileSnapshot('../../docs/events.md');
  });

  it('names every kind and every name of an enumerated field', () => {
    const doc = eventsDoc();
    for (const kind of Object.keys(KINDS)) expect(doc).toContain(`\`${kind}\``);
    for (const name of Object.values(NAMES).flat()) expect(doc).toContain(`\`${name}\``);
  });
});
