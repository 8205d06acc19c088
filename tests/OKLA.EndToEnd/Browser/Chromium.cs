using Microsoft.Playwright;

namespace OKLA.EndToEnd.Browser;

/// <summary>The machine's Chromium.</summary>
internal static class Chromium
{
    private static readonly string[] UsualPlaces =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe",
    ];

    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    /// <summary>Starts it. Throws one clear line where there is none.</summary>
    public static Task<IBrowser> LaunchAsync(IPlaywright playwright) =>
        playwright.Chromium.LaunchAsync(new() { ExecutablePath = Find(Environment.GetEnvironmentVariable("CHROMIUM_PATH"), UsualPlaces), Args = Arguments });

    /// <summary>The named browser, else the first of the places that has one.</summary>
    internal static string Find(string? named, IReadOnlyList<string> places) =>
        !string.IsNullOrEmpty(named)
            ? File.Exists(named) ? named : throw new FileNotFoundException($"The browser tests need Chromium, and CHROMIUM_PATH names {named}, which does not exist.")
            : places.FirstOrDefault(File.Exists) ?? throw new FileNotFoundException("The browser tests need Chromium: install it ('apt-get install chromium') or set CHROMIUM_PATH.");
}
