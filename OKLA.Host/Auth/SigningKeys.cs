using Microsoft.Extensions.Options;

namespace OKLA.Host.Auth;

/// <summary>Every key that may vouch for a token: configured secrets, the key file, the key address and, in Development, the demo issuer's.</summary>
internal sealed class SigningKeys : IDisposable
{
    /// <summary>Name of the HTTP client that fetches the key set.</summary>
    public const string HttpClient = "okla-jwks";

    private const int MaximumDocumentBytes = 256 * 1024;
    private static readonly TimeSpan FileCheck = TimeSpan.FromSeconds(1);

    private readonly List<VerificationKey> fixedKeys = [];
    private readonly List<JwksSource> sources = [];

    public SigningKeys(
        IOptions<AuthOptions> authOptions, IHttpClientFactory clients, TimeProvider time, ILogger<SigningKeys> logger, DemoIssuer? demo = null)
    {
        var options = authOptions.Value;
        if (demo is not null) fixedKeys.Add(demo.Key);
        if (!options.HasKeys) return;

        var trust = new Trust(options.Issuer!, options.Audience);
        foreach (var secret in options.HmacKeys)
            if (secret.TryGetBytes(out var bytes)) fixedKeys.Add(new HmacKey(secret.Id, bytes, trust));
        if (options.JwksFile is { Length: > 0 } path)
        {
            var file = new KeyFile(path, trust);
            // Read at once, so that a missing or useless file stops the start.
            file.ReadNow();
            sources.Add(new JwksSource(path, file.ReadAsync, FileCheck, FileCheck, refreshInBackground: false, time, logger));
        }

        if (options.JwksUrl is { } url)
            sources.Add(new JwksSource(
                url.ToString(),
                ct => DownloadAsync(clients, url, trust, options.JwksTimeout, ct),
                options.JwksRefresh,
                options.JwksMinimumInterval,
                refreshInBackground: true,
                time,
                logger));
    }

    /// <summary>The keys that bear the id; empty when there is none, even after asking the sources again.</summary>
    /// <param name="keyId">The token's <c>kid</c>; null finds the keys without one.</param>
    /// <param name="ct">Stops waiting for a source, not the source.</param>
    public async ValueTask<IReadOnlyList<VerificationKey>> FindAsync(string? keyId, CancellationToken ct)
    {
        var found = fixedKeys.FindAll(key => key.Id == keyId);
        if (found.Count > 0) return found;
        foreach (var source in sources)
            if (await source.FindAsync(keyId, ct) is { Count: > 0 } keys)
                return keys;
        return [];
    }

    public void Dispose() => sources.ForEach(source => source.Dispose());

    private static async Task<JsonWebKeys.KeySet?> DownloadAsync(IHttpClientFactory clients, Uri url, Trust trust, TimeSpan timeout, CancellationToken ct)
    {
        using var client = clients.CreateClient(HttpClient);
        client.MaxResponseContentBufferSize = MaximumDocumentBytes;
        client.Timeout = timeout;
        return JsonWebKeys.Parse(await client.GetByteArrayAsync(url, ct), trust, allowSecrets: false);
    }

    // A key file, parsed again only when its time or length changed.
    private sealed class KeyFile(string path, Trust trust)
    {
        private (DateTime Written, long Length) seen;
        private JsonWebKeys.KeySet? unread;

        public void ReadNow()
        {
            try
            {
                unread = Read();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                throw new OptionsValidationException(AuthOptions.Section, typeof(AuthOptions), [$"Auth:JwksFile {path} cannot be used: {e.Message}"]);
            }
        }

        public Task<JsonWebKeys.KeySet?> ReadAsync(CancellationToken ct)
        {
            ct.ThrowIfCancellationRequested();
            var first = Interlocked.Exchange(ref unread, null);
            return Task.FromResult(first ?? Read());
        }

        private JsonWebKeys.KeySet? Read()
        {
            // A mounted secret is a link that is moved to a new file: the link's own time never changes.
            var file = new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
            if (!file.Exists) throw new FileNotFoundException("There is no such file.", path);
            var now = (file.LastWriteTimeUtc, file.Length);
            if (now == seen) return null;
            if (file.Length > MaximumDocumentBytes)
                throw new FormatException($"It is longer than {MaximumDocumentBytes} bytes.");
            // Also when it turns out to be useless: it is not read and complained about again before it changes.
            seen = now;
            return JsonWebKeys.Parse(File.ReadAllBytes(file.FullName), trust, allowSecrets: true);
        }
    }
}
