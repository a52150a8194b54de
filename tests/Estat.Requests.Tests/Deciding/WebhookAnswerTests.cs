// What answers mean.
using System.Text;
using Estat.Requests.Webhooks;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookAnswerTests
{
    [Theory]
    [InlineData("""{"status":"SUCCEEDED"}""", "Succeeded", null, null)]
    [InlineData("""{"status":"REJECTED","reason":"no stock"}""", "Rejected", "no stock", null)]
    [InlineData("{\"result\":{\"seat\" : \"A1\",\n\"row\":2},\"status\":\"SUCCEEDED\",\"more\":1}", "Succeeded", null, """{"seat":"A1","row":2}""")]
    [InlineData("""{"status":"REJECTED","reason":null,"result":null}""", "Rejected", null, null)]
    [InlineData("""{"status":"SUCCEEDED","result":"text"}""", "Succeeded", null, "\"text\"")]
    [InlineData("""{"status":"succeeded"}""", "Unreadable", null, null)]
    [InlineData("""{"status":"FAILED_FINAL"}""", "Unreadable", null, null)]
    [InlineData("""{"status":1}""", "Unreadable", null, null)]
    [InlineData("{}", "Unreadable", null, null)]
    [InlineData("""["SUCCEEDED"]""", "Unreadable", null, null)]
    [InlineData("""{"status":"REJECTED","reason":7}""", "Unreadable", null, null)]
    [InlineData("""{"status":"REJECTED","reason":"\ud800"}""", "Unreadable", null, null)]
    [InlineData("""{"status":"SUCCEEDED"}, """, "Unreadable", null, null)]
    [InlineData("", "Unreadable", null, null)]
    [InlineData("<html>", "Unreadable", null, null)]
    public void A_200_is_a_decision_or_unreadable(string body, string outcome, string? reason, string? result)
    {
        var answer = WebhookAnswer.Of(200, Encoding.UTF8.GetBytes(body));
        Assert.Equal((outcome, reason, result), (answer.Outcome.ToString(), answer.Reason, answer.Result));
        Assert.Equal(outcome == "Unreadable", answer.IsFailure);
        Assert.Equal(outcome == "Unreadable", answer.Failure is not null);
    }

    [Theory]
    [InlineData(201, "Unreadable")]
    [InlineData(204, "Unreadable")]
    [InlineData(301, "Failed")]
    [InlineData(302, "Failed")]
    [InlineData(307, "Failed")]
    [InlineData(400, "Refused")]
    [InlineData(401, "Refused")]
    [InlineData(404, "Refused")]
    [InlineData(408, "Failed")]
    [InlineData(409, "Refused")]
    [InlineData(422, "Refused")]
    [InlineData(425, "Failed")]
    [InlineData(429, "Failed")]
    [InlineData(500, "Failed")]
    [InlineData(503, "Failed")]
    [InlineData(599, "Failed")]
    public void Another_status_is_tried_again_unless_it_says_that_the_call_is_wrong(int status, string outcome)
    {
        var answer = WebhookAnswer.Of(status, """{"status":"SUCCEEDED"}"""u8.ToArray());
        AttemptResult result = answer.ToResult(1, isCounted: true, TimeSpan.Zero);

        Assert.Equal(outcome, answer.Outcome.ToString());
        Assert.Equal(
            outcome == "Refused" ? (RequestState.FailedFinal, "refused") : (RequestState.Queued, null), (result.State, result.Reason));
        Assert.Contains($"{status}", result.Failure!, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_is_too_long_or_no_UTF_8_is_unreadable()
    {
        Assert.Equal("The endpoint's answer is longer than 64 KB.", WebhookAnswer.Of(200, null).Failure);
        Assert.Equal("The endpoint's answer is not UTF-8.", WebhookAnswer.Of(200, [(byte)'"', 0xFF, (byte)'"']).Failure);
    }

    [Fact]
    public void A_long_reason_is_cut_between_characters()
    {
        string reason = new string('x', WebhookAnswer.LongestReason - 1) + "😀";
        var answer = WebhookAnswer.Of(200, Encoding.UTF8.GetBytes($$"""{"status":"REJECTED","reason":"{{reason}}"}"""));
        Assert.Equal(reason[..(WebhookAnswer.LongestReason - 1)], answer.Reason);
    }

    [Theory]
    [InlineData(429, 1, 30, 30)]
    [InlineData(503, 1, 30, 30)]
    [InlineData(500, 1, 30, 1)]
    [InlineData(429, 4, 3, 8)]
    [InlineData(429, 1, -5, 1)]
    [InlineData(429, 1, 1_000_000, 3_600)]
    public void The_endpoint_may_ask_for_more_patience_than_the_backoff_but_not_for_ever(int status, int attempt, int asked, int wait) =>
        Assert.Equal(
            TimeSpan.FromSeconds(wait),
            WebhookAnswer.Of(status, [], TimeSpan.FromSeconds(asked)).ToResult(attempt, isCounted: true, TimeSpan.Zero).RetryAfter);

    [Fact]
    public void A_failure_that_is_not_counted_waits_at_least_as_long_as_it_is_told()
    {
        AttemptResult result = WebhookAnswer.TimedOut(TimeSpan.FromSeconds(13.5)).ToResult(1, isCounted: false, TimeSpan.FromSeconds(20));
        Assert.Equal((false, TimeSpan.FromSeconds(20)), (result.IsCounted, result.RetryAfter));
        Assert.Equal("The endpoint did not answer within 13.5 s.", result.Failure);
    }
}
