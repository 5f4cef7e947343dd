// uplot.d.ts: the chart library's own file, which the build puts beside ours, so that the browser finds it by its path.

// biome-ignore lint/style/noDefaultExport: uPlot exports nothing else
export { default } from 'uplot';
