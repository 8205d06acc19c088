namespace OKLA.EndToEnd.Browser;

/// <summary>Where things lie in the checkout that these tests were built from.</summary>
internal static class Checkout
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The host, built in the same configuration as these tests.</summary>
    public static string HostAssembly
    {
        get
        {
            var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
            var path = Path.Combine(Root, ".artifacts", "bin", "OKLA.Host", configuration, "OKLA.Host.dll");
            return File.Exists(path) ? path : throw new FileNotFoundException($"The host is not built: {path} is missing. Run 'dotnet build'.");
        }
    }

    /// <summary>The sources of the pages.</summary>
    public static string Web => Path.Combine(Root, "OKLA.Host", "web");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OKLA.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No OKLA.sln above {AppContext.BaseDirectory}.");
    }
}
