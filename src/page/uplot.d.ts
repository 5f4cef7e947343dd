// uplot.d.ts: the chart library's own file, which the build puts beside ours, so that the browser finds it by its path.

export { default } from 'uplot';
