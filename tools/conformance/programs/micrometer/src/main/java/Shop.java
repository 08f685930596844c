package conformance;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.*;

@SpringBootApplication
public class Shop {
  public static void main(String[] args) {
    SpringApplication.run(Shop.class, args);
  }
}

@RestController
class Api {
  @GetMapping("/users/{id}")
  String user(@PathVariable String id) {
    return "user " + id;
  }

  @PostMapping("/orders")
  @ResponseStatus(HttpStatus.CREATED)
  String order() {
    return "ordered";
  }

  @GetMapping("/slow")
  String slow() throws InterruptedException {
    Thread.sleep(1000);
    return "slow";
  }
}

@RestController
@RequestMapping("/shop")
class Items {
  @GetMapping("/items")
  String items() {
    return "items";
  }
}
