namespace OKLA.EndToEnd.Browser;

/// <summary>Where things lie in the checkout that these tests were built from.</summary>
internal static class Checkout
{
    /// <summary>The sources of the pages.</summary>
    public static string Web { get; } = Path.Combine(FindRoot(), "OKLA.Host", "web");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OKLA.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No OKLA.sln above {AppContext.BaseDirectory}.");
    }
}
