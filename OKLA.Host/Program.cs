using OKLA.Host;

await using var host = await OklaHost.BuildAsync(args);
await host.App.RunAsync();
