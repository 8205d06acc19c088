using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using OKLA.Host.Cli.Evaluate;
using OKLA.Host.Demo;
using OKLA.Sdk;
using OKLA.Shared.Contracts;
using OKLA.Shared.Database;
using OKLA.Shared.EventLog;
using OKLA.Shared.Files;

namespace OKLA.Host.Cli;

/// <summary>A host that was built: its services, and what must be disposed after it.</summary>
/// <param name="App">The host, not started.</param>
/// <param name="Database">The embedded server; null with an external one.</param>
internal sealed record BuiltHost(WebApplication App, IAsyncDisposable? Database) : IAsyncDisposable
{
    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }
    }
}

/// <summary>What the host is built from.</summary>
/// <param name="Configuration">Arguments for the configuration, as <c>--Section:Name=value</c> and <c>--urls=…</c>.</param>
/// <param name="Serves">Whether it will listen and run its background work; false for a verb that does one thing and ends.</param>
internal sealed record HostArguments(string[] Configuration, bool Serves);

/// <summary>Builds the host, its database up to date, without starting it.</summary>
internal delegate Task<BuiltHost> BuildHost(HostArguments arguments, CancellationToken ct);

/// <summary>The host's command line: finds the verb, builds the host, runs it.</summary>
internal static class CommandLine
{
    /// <summary>It worked.</summary>
    public const int Success = 0;

    /// <summary>It was understood but could not be done.</summary>
    public const int Failure = 1;

    /// <summary>It was not understood.</summary>
    public const int Usage = 2;

    /// <summary>It was stopped by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Every verb; the first one is meant when none is named.</summary>
    public static IReadOnlyList<Verb> Verbs { get; } =
    [
        ServeVerb.Verb, ImportListingsVerb.Verb, SimulateVerb.Verb, TrainVerb.Verb, ShowVerbs.Recommendations, ShowVerbs.Prices, TrainQueuedVerb.Verb, ArchiveVerbs.List, ArchiveVerbs.Load, ArchiveVerbs.Export,
EvaluateTabular.Verb, EvaluateText.Verb, EvaluateRecommender.Verb, EvaluateForecast.Verb, EvaluateAnomalies.Verb, EvaluateClusters.Verb, EvaluateFairness.Verb,
        EvaluateVerb.Verb, .. PlatformVerbs.All,
    ];

    private static readonly Option[] SharedOptions =
    [
        new("--data", "FOLDER", "folder of the embedded database and of artefacts (default .data)"),
        new("--environment", "NAME", "Development or Production (the default)"),
    ];

    /// <summary>Runs a command line to its end.</summary>
    /// <returns>0 when it worked, 1 when it could not be done, 2 when it was not understood, 130 after Ctrl-C.</returns>
    public static async Task<int> RunAsync(string[] args, BuildHost build, Terminal? terminal = null)
    {
        terminal ??= Terminal.OfConsole();
        if (args.Any(argument => argument is "--help" or "-h") || args is ["help", ..])
        {
            WriteHelp(terminal.Out);
            return Success;
        }

        try
        {
            return await RunAsync(Parse(args), build, terminal);
        }
        catch (UsageException wrong)
        {
            terminal.Error.WriteLine(wrong.Message);
            terminal.Error.WriteLine("--help lists what there is.");
            return Usage;
        }
        catch (Exception refused) when (refused is ImportRefusedException or ArchiveException or UnreadableFileException or SimulationRefusedException or DatabaseUnavailableException or OklaRefusedException or HttpRequestException or OptionsValidationException or ValidationException)
        {
            terminal.Error.WriteLine(refused.Message);
            return Failure;
        }
        catch (Exception fault)
        {
            // Nobody above could do better; the whole of it, for whoever looks for the cause.
            terminal.Error.WriteLine(fault);
            return Failure;
        }
    }

    /// <summary>Reads a command line; pure.</summary>
    /// <exception cref="UsageException">Unknown verb or option, a missing value or argument.</exception>
    internal static Invocation Parse(IReadOnlyList<string> args)
    {
        var (verb, next) = FindVerb(args);
        var known = (verb.RunOnFiles is null && verb.AskAsync is null ? verb.Options.Concat(SharedOptions) : verb.Options).ToDictionary(option => option.Name);
        var (values, arguments, configuration) = (new Dictionary<string, string>(), new List<string>(), new List<string>());
        for (; next < args.Count; next++)
        {
            if (!args[next].StartsWith('-'))
            {
                arguments.Add(args[next]);
                continue;
            }

            var (name, value) = args[next].Split('=', 2) is [var before, var after] ? (before, after) : (args[next], null);
            var isSetting = name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':', StringComparison.Ordinal);
            if (!isSetting && !known.ContainsKey(name))
            {
                throw new UsageException($"'{verb.Name}' has no option {name}.{Suggestion(name, known.Keys)}");
            }

            if (!isSetting && known[name].Value.Length == 0)
            {
                value = value is null ? "" : throw new UsageException($"{name} takes no value.");
            }

            // A value may begin with a dash only after an equals sign, so that a forgotten one is noticed.
            value ??= ++next < args.Count && !args[next].StartsWith("--", StringComparison.Ordinal) ? args[next] : throw new UsageException($"{name} needs a value.");
            if (isSetting)
            {
                configuration.Add($"{name}={value}");
            }
            else if (!values.TryAdd(name, value))
            {
                throw new UsageException($"{name} is given twice.");
            }
        }

        if (arguments.Count < verb.Arguments.Count)
        {
            throw new UsageException($"'{verb.Name}' needs {string.Join(' ', verb.Arguments.Skip(arguments.Count))}.");
        }

        if (arguments.Count > verb.Arguments.Count)
        {
            throw new UsageException($"'{verb.Name}' does not know what to do with '{arguments[verb.Arguments.Count]}'.");
        }

        var invocation = new Invocation(verb, arguments, values, configuration);
        verb.Check?.Invoke(invocation);
        return invocation;
    }

    private static async Task<int> RunAsync(Invocation invocation, BuildHost build, Terminal terminal)
    {
        if (invocation.Verb.RunOnFiles is { } run)
        {
            return run(invocation, terminal);
        }

        if (invocation.Verb.AskAsync is { } ask)
        {
            return await PlatformVerbs.RunAsync(invocation, ask, terminal);
        }

        var serves = invocation.Verb.RunAsync is null;
        var configuration = new List<string>(invocation.Configuration);
        // Relative to where the command was typed, not to the content root.
        AddSetting("--data", value => $"--Database:DataFolder={Path.GetFullPath(value)}");
        AddSetting("--urls", value => $"--urls={value}");
        AddSetting("--environment", value => $"--environment={value}");
        if (!serves)
        {
            configuration.Insert(0, "--Logging:LogLevel:Default=Warning");
        }

        using var stop = new CancellationTokenSource();
        ConsoleCancelEventHandler onCancel = (_, pressed) =>
        {
            pressed.Cancel = true;
            stop.Cancel();
        };
        if (!serves)
        {
            Console.CancelKeyPress += onCancel;
        }

        try
        {
            await using var host = await build(new HostArguments([.. configuration], serves), stop.Token);
            if (serves)
            {
                await host.App.RunAsync();
                return Success;
            }

            return await invocation.Verb.RunAsync!(invocation, host.App.Services, terminal, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            terminal.Error.WriteLine();
            terminal.Error.WriteLine("Stopped; the same command goes on from here.");
            return Interrupted;
        }
        finally
        {
            Console.CancelKeyPress -= onCancel;
        }

        void AddSetting(string option, Func<string, string> setting)
        {
            if (invocation.Text(option) is { } value)
            {
                configuration.Add(setting(value));
            }
        }
    }

    private static (Verb Verb, int Next) FindVerb(IReadOnlyList<string> args)
    {
        var words = args.TakeWhile(argument => !argument.StartsWith('-')).ToList();
        if (words.Count == 0)
        {
            return (Verbs[0], 0);
        }

        foreach (var verb in Verbs)
        {
            var name = verb.Name.Split(' ');
            if (words.Take(name.Length).SequenceEqual(name))
            {
                return (verb, name.Length);
            }
        }

        throw new UsageException($"There is no '{string.Join(' ', words.Take(2))}'.{Suggestion(words[0], Verbs.Select(verb => verb.Name))}");
    }

    private static string Suggestion(string written, IEnumerable<string> known) =>
        known.FirstOrDefault(name => name.StartsWith(written, StringComparison.OrdinalIgnoreCase) || written.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is { } near
            ? $" Did you mean {near}?" : $" There is: {string.Join(", ", known)}.";

    private static void WriteHelp(TextWriter writer)
    {
        writer.WriteLine("OKLA: the intelligence layer of a vehicle marketplace");
        writer.WriteLine();
        foreach (var verb in Verbs)
        {
            writer.WriteLine($"  {string.Join(' ', verb.Arguments.Prepend(verb.Name))}");
            writer.WriteLine($"      {verb.Help}");
            WriteOptions(verb.Options);
        }

        writer.WriteLine();
        writer.WriteLine("  For all:");
        WriteOptions([.. SharedOptions, new Option("--Section:Name", "VALUE", "overrides a setting of appsettings.json")]);

        void WriteOptions(IReadOnlyList<Option> options)
        {
            foreach (var option in options)
            {
                writer.WriteLine($"      {option.Name + " " + option.Value,-26} {option.Help}");
            }
        }
    }
}
