// Says nothing, but works: CPU for as many ms as its argument says.
const until = performance.now() + Number(process.argv[2] ?? 1000);
while (performance.now() < until) Math.sqrt(Math.random());
