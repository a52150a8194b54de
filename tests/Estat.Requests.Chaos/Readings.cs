// What the operator orders, and what store and lake have in the end.
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;

namespace Estat.Requests.Chaos;

/// <summary>By the same paths and files that an operator has.</summary>
internal static class Readings
{
    /// <summary>All requests of a campaign, as its export has them.</summary>
    internal static async Task<IReadOnlyList<Kept>> KeptAsync(HttpClient client, string campaign)
    {
        var kept = new List<Kept>();
        using Stream stream = await client.GetStreamAsync(new Uri($"/admin/campaigns/{campaign}/export?format=csv", UriKind.Relative));
        using var reader = new StreamReader(stream);
        await reader.ReadLineAsync(); // the head
        while (await reader.ReadLineAsync() is { } line)
        {
            string[] cells = line.Split(',');
            kept.Add(new Kept(
                cells[0], cells[1], long.Parse(cells[2], CultureInfo.InvariantCulture), cells[3], cells[4],
                int.Parse(cells[5], CultureInfo.InvariantCulture)));
        }

        return kept;
    }

    /// <summary>The outcomes of the lake, and the life of the store that wrote each: a part of its object's name.</summary>
    /// <param name="data">STORAGE_DIR.</param>
    internal static IEnumerable<(string Epoch, LakeLine Line)> Lake(string data)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(data, "raw_outcomes"), "*.jsonl.gz", SearchOption.AllDirectories))
        {
            string epoch = Path.GetFileName(file).Split('_')[1];
            using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
            while (reader.ReadLine() is { } line)
            {
                using JsonDocument json = JsonDocument.Parse(line);
                JsonElement outcome = json.RootElement;
                yield return (epoch, new LakeLine(
                    outcome.GetProperty("number").GetInt64(), outcome.GetProperty("campaign").GetString()!,
                    outcome.GetProperty("request_id").GetString()!, outcome.GetProperty("generation").GetInt32(),
                    outcome.GetProperty("state").GetString()!, outcome.GetProperty("reason").GetString(),
                    outcome.GetProperty("sequence").GetInt64()));
            }
        }
    }

    /// <summary>Makes a campaign.</summary>
    internal static async Task PutAsync(HttpClient client, string campaign, string settings)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/admin/campaigns/{campaign}") { Content = new StringContent(settings) };
        request.Headers.Add("X-Estat-Admin", "1");
        using HttpResponseMessage answer = await client.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{campaign}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>An order without more than a few members.</summary>
    internal static async Task<string> PostAsync(HttpClient client, string path, string body = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        request.Headers.Add("X-Estat-Admin", "1");
        using HttpResponseMessage answer = await client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{path}: {text}");
    }
}
