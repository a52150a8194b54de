// Messages of the bench: about 200 bytes of JSON each, of 1,000 users.
using System.Globalization;
using System.Text;
using Estat.Bench.Load;

namespace Estat.Bench.Topics;

/// <summary>All different, made from a number.</summary>
internal static class TopicBodies
{
    private const int Users = 1_000;

    /// <summary><c>POST /api/produce/user-activity</c>, one message a request.</summary>
    internal static RequestFile Activities(string folder) => RequestFile.Posts(
        folder, "activities", "/api/produce/user-activity", 1,
        Enumerable.Range(0, 32_768).Select(number => Encoding.ASCII.GetBytes(Activity(number))));

    /// <summary>The same in lists.</summary>
    internal static RequestFile Lists(string folder, int messages) => RequestFile.Posts(
        folder, "activity-lists", "/api/produce/user-activities", messages,
        Enumerable.Range(0, 64 * messages).Chunk(messages).Select(numbers => Encoding.ASCII.GetBytes(
            $"{{\"messages\":[{string.Join(',', numbers.Select(number => $"{{\"key\":\"{User(number)}\",\"value\":{Activity(number)}}}"))}]}}")));

    /// <summary>One body.</summary>
    internal static string Activity(int number) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"userId\":\"{User(number)}\",\"action\":\"view\",\"resource\":\"/products/{number % 5_000}\",\"metadata\":{{\"browser\":\"Chrome\","
            + $"\"version\":\"120.0\",\"session\":\"{number:x8}\"}},\"ipAddress\":\"192.0.2.{number % 250}\",\"userAgent\":\"Mozilla/5.0\"}}");

    private static string User(int number) => string.Create(CultureInfo.InvariantCulture, $"user-{number * 7919 % Users}");
}
