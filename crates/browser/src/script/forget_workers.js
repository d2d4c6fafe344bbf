// Forgets workers and files of the page. What a login lives in stays: local storage and databases.
return (async () => {
const workers = await navigator.serviceWorker?.getRegistrations() ?? [];
await Promise.all(workers.map((worker) => worker.unregister()));
const kept = window.caches ? await caches.keys() : [];
await Promise.all(kept.map((name) => caches.delete(name)));
return true;
})();
