namespace OKLA.Host.Cli;

/// <summary><c>serve</c>: listens and runs the background work until it is told to stop; what happens when no verb is named.</summary>
internal static class ServeVerb
{
    public static Verb Verb { get; } = new("serve", [], [new("--urls", "URLS", "addresses to listen on, such as http://localhost:5000")], "runs the marketplace (the default)", null);
}
