namespace OKLA.Host;

/// <summary>Finds the host's files whether it runs from a published folder or from a checkout.</summary>
internal static class HostFolders
{
    /// <summary>The published folder, or the checkout's root: where appsettings.json lies and relative paths begin.</summary>
    public static string ContentRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "OKLA.sln")))
            {
                return folder.FullName;
            }
        }

        return AppContext.BaseDirectory;
    }

    /// <summary>The built front end below a content root.</summary>
    public static string WebRoot(string contentRoot)
    {
        var inCheckout = Path.Combine(contentRoot, "OKLA.Host", "wwwroot");
        return Directory.Exists(Path.Combine(contentRoot, "OKLA.Host")) ? inCheckout : Path.Combine(contentRoot, "wwwroot");
    }
}
