import { canRead, data } from './data.ts';
import { part } from './dom.ts';
import { GuestView } from './guest.ts';
import { HeatMap } from './heat-map.ts';
import { Plot } from './plot.ts';

function tell(text: string): void {
  part('message').textContent = text;
  part('message').hidden = false;
}

async function show(): Promise<void> {
  if (!canRead) {
    tell(
      'This browser cannot read the values of the plots (DecompressionStream is missing): Chrome 80, Firefox 113, Safari 16.4 and later can. The tables are complete.',
    );
    return;
  }
  if (data.guests.length > 0 && data.guestPanels.length > 0) {
    const view = new GuestView();
    const heat = new HeatMap((guest) => void view.show(guest, true));
    await heat.show();
    await view.show(0, false);
  }
  const host = data.hostPanels.map((panel) => new Plot(panel));
  part('host').classList.add('plots');
  part('host').append(...host.map(({ figure }) => figure));
  await Promise.all(host.map((plot) => plot.show(0, data.host)));
  document.documentElement.setAttribute('data-ready', '');
}

show().catch((error: unknown) => {
  tell(`The plots cannot be shown: ${String(error)}. The tables are complete.`);
  throw error;
});
