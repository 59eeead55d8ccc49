import { describe, expect, it } from 'vitest';
import { parseInfo } from '../../../replay/recording/info.js';
import { bytesOf } from '../trace/trace_lines.js';

const INFO = `kcore_load vaddr=0xffffffff81000000 memsz=0x3430000 off=0x7fff81003000
sym xen_p2m_addr addr=0xffffffff82c38d70 value=0xffffc90000000000
sym xen_p2m_size addr=0xffffffff82c38d68 value=0x8000000
sym xen_max_p2m_pfn addr=0xffffffff82c38d60 value=0x8000000
sym xen_p2m_last_pfn addr=0xffffffff833191c0 value=0x40061
sym p2m_limit addr=0x0 value=0x0
sym max_pfn addr=0xffffffff83fe2f38 value=0x40061
dump pfns=[0,0x100000)
entries ram=131072 invalid=916992 identity=512 foreign=0 read_errors=0
pfn_of p2m_missing=0x1ebf3 p2m_identity=0x1ebf2 p2m_missing_pte=0x1ebf1 p2m_identity_pte=0x1ebf0
list_pages unmapped=0 missing=0 identity=261631 own=513 unknown=0
`;

const parse = (text: string) => parseInfo(bytesOf(text), 'p2m-x.info');

describe('parseInfo', () => {
  it('reads the counts as numbers and addresses as text', () => {
    expect(parse(INFO)).toMatchObject({
      pfnStart: 0,
      pfnEnd: 0x100000,
      xenP2mSize: 0x8000000,
      xenMaxP2mPfn: 0x8000000,
      xenP2mLastPfn: 0x40061,
      maxPfn: 0x40061,
      xenP2mAddr: '0xffffc90000000000',
      sharedPfns: { p2mMissing: 0x1ebf3, p2mIdentity: 0x1ebf2, p2mMissingPte: 0x1ebf1, p2mIdentityPte: 0x1ebf0 },
    });
    expect(parse(INFO).symbols.get('xen_p2m_size')).toEqual({ address: '0xffffffff82c38d68', value: '0x8000000' });
  });

  it('leaves undefined what the file does not say, and symbols that the kernel has not', () => {
    expect(parse('')).toMatchObject({ pfnEnd: undefined, xenP2mSize: undefined, xenP2mAddr: undefined });
    expect(parse('').sharedPfns.p2mMissing).toBeUndefined();
    expect(parse(INFO).symbols.has('p2m_limit')).toBe(false);
  });

  it.each([
    ['sym xen_p2m_size addr=here value=0x1', 'bad line', 'sym NAME addr=0xN value=0xN'],
    ['dump pfns=0-5', 'bad line', 'dump pfns=[A,B)'],
    ['pfn_of p2m_missing', 'bad line', 'pfn_of NAME=0xN'],
    ['dump pfns=[5,4)', 'bad range', 'the first pfn below the next'],
    ['sym xen_p2m_size addr=0x1 value=0xffffffffffffffff', 'number too large', 'below 2^53'],
    ['pfn_of p2m_missing=0xffffffffffffffff', 'number too large', 'below 2^53'],
  ])('refuses %j', (text, what, expected) => {
    expect(() => parse(`# note\n${text}\n`)).toThrow(`p2m-x.info:2: ${what}`);
    expect(() => parse(`# note\n${text}\n`)).toThrow(expected);
  });
});
