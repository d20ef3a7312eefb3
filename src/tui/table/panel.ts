import type { Sample } from '../../sampling/sample.ts';
import type { Line, Span } from '../screen/spans.ts';
import { panelGroups } from './panel-groups.ts';
import { metricSlot, slotMakers } from './panel-slots.ts';
import type { PanelLook, Slot } from './panel-slots.ts';
import type { View } from './views.ts';

const groupNames = Object.keys(panelGroups);

/**
 * The lines about the host above the table. Each shows what fits and is in no line before it, in slots that keep their places:
 * what was known once has a slot from then on.
 */
export class HostPanel {
  private readonly known = new Set<string>();

  /** @param height lines at most: the view names the most important ones first */
  lines(view: View, sample: Sample, height: number, look: PanelLook): readonly Line[] {
    const shown = new Set<string>();
    const names = view.panel.slice(0, Math.max(0, height));
    const inOrder = [...names].sort((one, other) => groupNames.indexOf(one) - groupNames.indexOf(other));
    return inOrder.flatMap((name) => {
      const line = this.line(name, sample, shown, look);
      return line === undefined ? [] : [line];
    });
  }

  /** Undefined where nothing of it was ever known. */
  private line(
    name: View['panel'][number],
    sample: Sample,
    shown: Set<string>,
    look: PanelLook,
  ): Line | undefined {
    const [label, ids] = panelGroups[name];
    const spans: Span[] = [{ text: label.padEnd(5), style: 'strong' }];
    let used = 5;
    for (const id of ids) {
      const slot = shown.has(id) ? undefined : this.slot(id, sample, look);
      if (slot === undefined) continue;
      used += slot.width;
      // The blanks behind the last one need no room.
      if (used > look.columns + 2 && spans.length > 1) break;
      shown.add(id);
      spans.push(...slot.spans);
    }
    return spans.length === 1 ? undefined : spans;
  }

  private slot(id: string, sample: Sample, look: PanelLook): Slot | undefined {
    const slot = slotMakers[id]?.(sample, look) ?? metricSlot(id, sample.host.row, look);
    if (slot?.isKnown === true) this.known.add(id);
    return this.known.has(id) ? slot : undefined;
  }
}
