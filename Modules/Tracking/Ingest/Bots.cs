using System.Buffers;

namespace OKLA.Tracking.Ingest;

/// <summary>Tells programs from people by the <c>User-Agent</c> header. Marked, never dropped: who reads the log decides.</summary>
internal static class Bots
{
    private static readonly SearchValues<string> Programs = SearchValues.Create(
        [
            "headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver", "lighthouse", "crawl", "spider", "slurp", "scrapy", "archiver",
            "facebookexternalhit", "facebookcatalog", "whatsapp/", "telegrambot", "embedly", "bingpreview", "google-inspectiontool", "mediapartners",
            "curl/", "wget/", "python-requests", "python-urllib", "aiohttp", "httpx/", "go-http-client", "java/", "libwww-perl", "node-fetch", "axios/", "postman", "uptime", "pingdom",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a header names a program that looks at pages by itself, or nothing at all.</summary>
    public static bool IsBot(string? userAgent) =>
        string.IsNullOrWhiteSpace(userAgent) || userAgent.AsSpan().ContainsAny(Programs) || EndsAWordInBot(userAgent);

    /// <summary>"Googlebot/2.1", "bingbot;": a word that ends in bot. Telephones of the make Cubot do too, and are none.</summary>
    private static bool EndsAWordInBot(string userAgent)
    {
        for (var at = userAgent.IndexOf("bot", StringComparison.OrdinalIgnoreCase); at >= 0; at = userAgent.IndexOf("bot", at + 3, StringComparison.OrdinalIgnoreCase))
        {
            var isWord = at + 3 == userAgent.Length || !char.IsLetter(userAgent[at + 3]);
            if (isWord && !(at >= 2 && userAgent.AsSpan(at - 2, 2).Equals("cu", StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }

        return false;
    }
}
