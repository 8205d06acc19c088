using System.Globalization;
using OKLA.Sdk;

namespace OKLA.Host.Cli;

/// <summary>An option of a verb.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="Value">What its value is called in the help; empty for a flag, which takes none.</param>
/// <param name="Help">What it does, in one line.</param>
internal sealed record Option(string Name, string Value, string Help);

/// <summary>One thing the command line can do.</summary>
/// <param name="Name">One or two words, such as <c>import listings</c>.</param>
/// <param name="Arguments">Names of the arguments after it; all are required.</param>
/// <param name="Options">Its own options, besides the shared ones.</param>
/// <param name="Help">What it does, in one line.</param>
/// <param name="RunAsync">Does it; answers the exit code. Null for the verb that serves and for those on files.</param>
internal sealed record Verb(
    string Name, IReadOnlyList<string> Arguments, IReadOnlyList<Option> Options, string Help, Func<Invocation, IServiceProvider, Terminal, CancellationToken, Task<int>>? RunAsync)
{
    /// <summary>Looks at the values before anything is started; throws <see cref="UsageException"/>.</summary>
    public Action<Invocation>? Check { get; init; }

    /// <summary>Does it on files alone: no host is built and no database started, and the shared options do not apply.</summary>
    public Func<Invocation, Terminal, int>? RunOnFiles { get; init; }

    /// <summary>Does it by asking a host that runs somewhere: none is built here, and the shared options do not apply.</summary>
    public Func<Invocation, OklaModels, Terminal, CancellationToken, Task<int>>? AskAsync { get; init; }

    /// <summary>A verb that works on files alone.</summary>
    public static Verb OnFiles(string name, IReadOnlyList<Option> options, string help, Func<Invocation, Terminal, int> run) => new(name, [], options, help, null) { RunOnFiles = run };
}

/// <summary>A command line that was understood.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Arguments">Values of its arguments, in order.</param>
/// <param name="Options">Values of its options by name.</param>
/// <param name="Configuration">Settings that override the configuration files, as <c>--Section:Name=value</c>.</param>
internal sealed record Invocation(Verb Verb, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Options, IReadOnlyList<string> Configuration)
{
    /// <summary>An option's value; null when it was not given.</summary>
    public string? Text(string option) => Options.GetValueOrDefault(option);

    /// <summary>The value of an option that must be given.</summary>
    /// <exception cref="UsageException">It was not.</exception>
    public string Required(string option) => Text(option) ?? throw new UsageException($"'{Verb.Name}' needs {option}.");

    /// <summary>Whether a flag was given.</summary>
    public bool Has(string flag) => Options.ContainsKey(flag);

    /// <summary>An option's whole number.</summary>
    /// <exception cref="UsageException">Not a whole number in the range.</exception>
    public int Number(string option, int otherwise, int least, int most) => Text(option) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value
        : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} takes a whole number from {least:N0} to {most:N0}, not '{text}'."));
}

/// <summary>A command line that cannot be understood; the message says what is wrong with it.</summary>
internal sealed class UsageException(string message) : Exception(message);
