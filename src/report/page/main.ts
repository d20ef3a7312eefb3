import { canRead, data } from './data.ts';
import { element, nameOf, part } from './dom.ts';
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
  for (const [index, host] of data.hosts.entries()) await showHost(index, host);
  document.documentElement.setAttribute('data-ready', '');
}

/** Shows the plots of a host, below its name where there are several. */
async function showHost(index: number, host: string): Promise<void> {
  const plots = data.hostPanels.map((panel) => new Plot(panel));
  const figures = element('div', { class: 'plots' }, ...plots.map(({ figure }) => figure));
  const heading = data.hosts.length > 1 ? [element('h3', {}, nameOf(host))] : [];
  part('host').append(...heading, figures);
  await Promise.all(plots.map((plot) => plot.show(index, host)));
}

show().catch((error: unknown) => {
  tell(`The plots cannot be shown: ${String(error)}. The tables are complete.`);
  throw error;
});
