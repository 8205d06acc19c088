using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OKLA.EndToEnd.Browser.Sdk;

/// <summary>A web server of another origin whose every page is the same. A real one: a browser does not let pages that come from nowhere talk to this machine.</summary>
internal sealed class OtherSite : IDisposable
{
    private readonly HttpListener listener = new();

    /// <summary>Listens at <paramref name="origin"/>, such as http://127.0.0.1:5999.</summary>
    public OtherSite(string origin, string page)
    {
        listener.Prefixes.Add(origin + "/");
        listener.Start();
        _ = AnswerAsync(Encoding.UTF8.GetBytes(page));
    }

    /// <summary>An origin on this machine where nothing listens yet.</summary>
    public static string FreeOrigin()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
    }

    public void Dispose() => listener.Close();

    private async Task AnswerAsync(byte[] page)
    {
        while (listener.IsListening)
        {
            HttpListenerContext visit;
            try
            {
                visit = await listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            visit.Response.ContentType = "text/html; charset=utf-8";
            await visit.Response.OutputStream.WriteAsync(page);
            visit.Response.Close();
        }
    }
}
