import { Global } from '../../../events/index.js';
import { isTree, NO_PAGE, ptePage, type Memory } from '../../../src/index.js';

/**
 * The two levels of tables of the list as they are: PMD slots name PT pages, whose slots name leaves. In the old tree
 * p2m_top names mid pages: here they are tables of the upper and of the lower level too.
 */
export class ListTables {
  readonly isTree: boolean;
  protected readonly memory: Memory;

  /** After the boot. */
  constructor(memory: Memory) {
    this.memory = memory;
    this.isTree = isTree(memory);
  }

  /** Slots of the upper level. */
  get upperCount(): number {
    return this.isTree ? this.memory.geometry.topPerPage : this.memory.layout.pmdCount;
  }

  /** Slots of a table of the lower level. */
  get lowerCount(): number {
    const { midPerPage, ptrsPerPte } = this.memory.geometry;
    return this.isTree ? midPerPage : ptrsPerPte;
  }

  /** Name of a slot of the upper level. */
  upperName(index: number): string {
    return this.isTree ? `p2m_top[${index}]` : `PMD ${index}`;
  }

  /** The table that slot `index` of the upper level names. */
  upper(index: number): number {
    const { words, layout, homes } = this.memory;
    if (this.isTree) return words[homes[words[Global.p2m_top]!]! + index]!;
    return ptePage(words[layout.pmdBase + index]!);
  }

  /** Slots of the upper level that name `table`. */
  uppersOf(table: number): number[] {
    const uppers: number[] = [];
    for (let index = 0; index < this.upperCount; index++) if (this.upper(index) === table) uppers.push(index);
    return uppers;
  }

  /** The leaf that slot `index` of a table of the lower level names. */
  lower(table: number, index: number): number {
    const word = this.memory.loadWord(table, index);
    return this.isTree ? word : ptePage(word);
  }

  /** The leaf that the list has for `pfn`; `NO_PAGE` where there is none. */
  leafOf(pfn: number): number {
    const { words, midShift, leafShift, midMask, geometry } = this.memory;
    if (!this.isTree) return pfn < words[Global.xen_p2m_size]! ? ptePage(this.memory.pteOf(pfn)) : NO_PAGE;
    if (pfn >= geometry.maxP2mPfn) return NO_PAGE;
    return this.lower(this.upper(pfn >>> midShift), (pfn >>> leafShift) & midMask);
  }

  /** Whether all share the page, be it a leaf or a table of the lower level; or it is none. */
  isShared(page: number): boolean {
    const { words } = this.memory;
    return (
      page === NO_PAGE ||
      page === words[Global.p2m_missing] ||
      page === words[Global.p2m_identity] ||
      this.isSharedTable(page)
    );
  }

  /** Whether it is a PT page, or mid page, that all share. */
  isSharedTable(page: number): boolean {
    const { words } = this.memory;
    return this.isTree
      ? page === words[Global.p2m_mid_missing] || page === words[Global.p2m_mid_identity]
      : page === words[Global.p2m_missing_pte] || page === words[Global.p2m_identity_pte];
  }
}
