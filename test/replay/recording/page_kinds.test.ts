import { describe, expect, it } from 'vitest';
import { parsePageKinds } from '../../../replay/recording/page_kinds.js';
import { bytesOf } from '../trace/trace_lines.js';

const OWN = 'pfn [0x0,0x20600) own flags=0x8010000000000007 pte_page=own_pte pte_page_pfn=0x1ece3';
const IDENTITY = 'pfn [0x20600,0x40000) identity flags=0x8010000000000005 pte_page=own_pte pte_page_pfn=0x1ece3';
const SHARED = 'pfn [0x40000,0x8000000) identity pte_page=p2m_identity_pte pmd=0x78740067';

function parse(...lines: string[]) {
  return parsePageKinds(bytesOf(`# kinds of the list's pages\n${lines.join('\n')}\n`), 'p2m-x.pt.txt');
}

describe('parsePageKinds', () => {
  it('reads own pages, shared pages below a PTE page of their own, and shared PTE pages', () => {
    expect(parse(OWN, IDENTITY, SHARED)).toEqual([
      { pfnStart: 0, pfnEnd: 0x20600, kind: 'own', writable: true, ptePage: 'own_pte', ptePagePfn: 0x1ece3 },
      {
        pfnStart: 0x20600,
        pfnEnd: 0x40000,
        kind: 'identity',
        writable: false,
        ptePage: 'own_pte',
        ptePagePfn: 0x1ece3,
      },
      {
        pfnStart: 0x40000,
        pfnEnd: 0x8000000,
        kind: 'identity',
        writable: undefined,
        ptePage: 'p2m_identity_pte',
        ptePagePfn: undefined,
      },
    ]);
  });

  it('reads missing and unmapped pages', () => {
    expect(parse('pfn [0,512) missing pte_page=p2m_missing_pte', 'pfn [0x400,0x600) unmapped')).toMatchObject([
      { pfnEnd: 512, kind: 'missing', ptePage: 'p2m_missing_pte' },
      { pfnStart: 0x400, kind: 'unmapped', ptePage: undefined, writable: undefined },
    ]);
  });

  it.each([
    ['pfn 0-512 own', 'bad line', 'pfn [0xA,0xB) KIND'],
    ['pfn [0x40000,0x20000) own', 'empty run', 'the first pfn below the next'],
    ['pfn [0x0,0x400) mine', 'unknown page kind', 'own, missing, identity'],
    ['pfn [0x0,0x400) own pte_page=his', 'unknown kind of PTE page', 'own_pte, p2m_missing_pte'],
    ['pfn [0x0,0x10000000000000) own', 'bad pfn', 'below 2^52'],
    ['pfn [0x0,0x400) own flags=7z', 'bad flags', 'hexadecimal with 0x'],
    ['pfn [0x0,0x400) own pte_page=own_pte pte_page_pfn=-1', 'bad pfn', 'below 2^52'],
    ['nonsense', 'bad line', 'pfn [0xA,0xB) KIND'],
  ])('refuses %j', (text, what, expected) => {
    expect(() => parse(text)).toThrow(
      new RegExp(`^p2m-x\\.pt\\.txt:2:\\d+: ${what}: got .*want .*${escape(expected)}`, 's'),
    );
  });

  it('refuses runs that overlap or descend', () => {
    expect(() => parse(IDENTITY, OWN)).toThrow(
      'p2m-x.pt.txt:3:6: runs overlap or descend: got 0x0, want a first pfn from 0x40000 on',
    );
    expect(() => parse(OWN, 'pfn [0x20400,0x40000) own')).toThrow('runs overlap or descend');
  });

  it('refuses binary data', () => {
    expect(() => parsePageKinds(new Uint8Array([0x23, 0]), 'p2m-x.pt.txt')).toThrow('p2m-x.pt.txt:byte 1: binary data');
    expect(() => parsePageKinds(new Uint8Array([0xff, 0xfe]), 'p2m-x.pt.txt')).toThrow('not UTF-8');
  });
});

function escape(text: string): string {
  return text.replace(/[[\]()^.]/g, '\\$&');
}
