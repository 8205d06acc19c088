using OKLA.Host;
using OKLA.Host.Cli;

return await CommandLine.RunAsync(args, (arguments, _) => OklaHost.BuildAsync(arguments.Configuration, arguments.Serves));
