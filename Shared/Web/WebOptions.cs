using System.ComponentModel.DataAnnotations;

namespace OKLA.Shared.Web;

/// <summary>Section <c>Web</c>: what every request meets before its slice.</summary>
public sealed class WebOptions
{
    /// <summary>Proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed, as addresses or networks (<c>10.0.0.0/8</c>). Loopback always is.</summary>
    public string[] TrustedProxies { get; set; } = [];

    /// <summary>Other web sites whose pages may call this API (origins such as <c>https://okla.com.do</c>). Empty: only our own pages.</summary>
    public string[] AllowedOrigins { get; set; } = [];

    /// <summary>The <c>Content-Security-Policy</c> of every answer. Empty: none is sent.</summary>
    public string ContentSecurityPolicy { get; set; } =
        "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

    /// <summary>Whether requests are counted at all.</summary>
    public bool RateLimits { get; set; } = true;

    /// <summary>Requests of one caller (signed-in user or API key, else client address) in a window. 1 to 10,000,000.</summary>
    [Range(1, 10_000_000)]
    public int RequestsPerWindow { get; set; } = 10_000;

    /// <summary>Length of that window. 1 second to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The same for endpoints that cost much (sign-in, language model): requests in a strict window. 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int StrictRequestsPerWindow { get; set; } = 60;

    /// <summary>Length of the strict window. 1 second to 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StrictWindow { get; set; } = TimeSpan.FromMinutes(1);
}
